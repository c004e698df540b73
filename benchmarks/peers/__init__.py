"""Programs that the product is compared with. Each lives in an environment and in processes of its own.

Nothing below a peer's folder is imported by the product or by these benchmarks: it runs under the peer's interpreter.
"""
