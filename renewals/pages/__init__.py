"""The holder's own pages (`/titolare/`): public, without an account, in Bootstrap Italia, working without scripts."""
