"""QR codes that carry a page over to a phone, drawn here: the address in them is nobody else's business."""

from __future__ import annotations

import base64
import io

import qrcode
from qrcode.image.svg import SvgPathImage


def data_address(text: str) -> str:
    """Draw `text` as a QR code (SVG) and return it as an address that an image can show."""
    drawn = io.BytesIO()
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=4, image_factory=SvgPathImage)
    code.add_data(text)
    code.make_image().save(drawn)
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.getvalue()).decode()}"
