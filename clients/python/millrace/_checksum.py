"""CRC-32C (Castagnoli), as RFC 3720 appendix B.4 gives it. Only headers of 60 bytes are summed here, so a table will do."""

_POLYNOMIAL_REFLECTED = 0x82F63B78


def _table() -> list[int]:
    entries = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (_POLYNOMIAL_REFLECTED if byte & 1 else 0)
        entries.append(byte)
    return entries


_TABLE = _table()


def crc32c(octets: bytes | memoryview) -> int:
    remainder = 0xFFFFFFFF
    for octet in octets:
        remainder = _TABLE[(remainder ^ octet) & 0xFF] ^ (remainder >> 8)
    return remainder ^ 0xFFFFFFFF
