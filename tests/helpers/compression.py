"""Compressing DICOM files for tests, with the encoders of pydicom, its plugins and GDCM."""

from pathlib import Path

RLE, JPEG_2000, JPEG_LS = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.80"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
LOSSLESS = {
    "big endian": BIG_ENDIAN,
    "deflated": DEFLATED,
    "RLE": RLE,
    "JPEG 2000": JPEG_2000,
    "JPEG-LS": JPEG_LS,
    "JPEG lossless": JPEG_LOSSLESS,
}


def compress(source: Path, path: Path, syntax: str) -> Path:
    """Write a copy of an uncompressed file in another transfer syntax, without an offset table; all but lossy ones are exact."""
    import pydicom
    from pydicom.encaps import encapsulate, generate_frames

    path.parent.mkdir(parents=True, exist_ok=True)
    if syntax == JPEG_LOSSLESS:
        return _through_gdcm(source, path)
    dataset = pydicom.dcmread(source)
    if syntax in (BIG_ENDIAN, DEFLATED):
        values, order = dataset.pixel_array, ">" if syntax == BIG_ENDIAN else "<"
        dataset.PixelData = values.astype(values.dtype.newbyteorder(order)).tobytes()
        dataset["PixelData"].VR = "OB" if values.itemsize == 1 else "OW"
        dataset.file_meta.TransferSyntaxUID = syntax
        pydicom.dcmwrite(path, dataset, little_endian=syntax == DEFLATED, implicit_vr=False, force_encoding=True)
        return path
    dataset.compress(syntax, generate_instance_uid=False)
    count = int(dataset.get("NumberOfFrames", 1))
    dataset.PixelData = encapsulate(list(generate_frames(dataset.PixelData, number_of_frames=count)), has_bot=False)
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)
    return path


def _through_gdcm(source: Path, path: Path) -> Path:
    """Write JPEG lossless with prediction of first order."""
    import gdcm

    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(source))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return path
