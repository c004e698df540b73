"""The enrollment API: the door of card clients. Mounted by `config.api`."""

from ninja import Router

from renewals.api import case, entrance, support

router = Router()
router.add_router("", entrance.router)
router.add_router("", support.router)
router.add_router("/case", case.router)

__all__ = ["router"]
