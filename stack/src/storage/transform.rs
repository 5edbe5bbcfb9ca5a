//! An image made smaller on its way out: which part of it, how large and in which format.
//!
//! Nothing is made larger than it is, as hosted. Only the first picture of an animation is shown, and WebP is
//! written without loss, whatever quality is asked for: both otherwise than hosted.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, codecs::jpeg::JpegEncoder,
    imageops::FilterType,
};
use serde::Deserialize;
use serde_json::Value;

use super::reply::StorageError;

/// As hosted.
const LARGEST_SIDE: u32 = 2500;
const MOST_PIXELS: u64 = 50_000_000;
const QUALITY: u8 = 80;

/// What is to become of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Asked")]
pub(super) struct Transform {
    width: Option<u32>,
    height: Option<u32>,
    resize: Resize,
    quality: Option<u8>,
    format: Option<Format>,
}

/// As it stands in an address, or in a question.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    width: Option<Value>,
    height: Option<Value>,
    resize: Option<String>,
    quality: Option<Value>,
    format: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Resize {
    /// The frame is full, and what sticks out is cut.
    #[default]
    Cover,
    /// All of it is in the frame.
    Contain,
    /// The frame is full, and all of it is in there, out of shape.
    Fill,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Origin,
}

/// A transformed image.
#[derive(Debug)]
pub(super) struct Rendered {
    pub(super) bytes: Vec<u8>,
    pub(super) mime: &'static str,
}

/// How large the image becomes, and what of it is then shown.
#[derive(Debug, PartialEq, Eq)]
struct Frame {
    scaled: (u32, u32),
    shown: (u32, u32),
}

impl Transform {
    /// As a token or an address says it: `width:200,resize:cover`.
    pub(super) fn read(text: &str) -> Result<Self, StorageError> {
        let pairs = text.split(',').filter_map(|pair| pair.split_once(':'));
        let object = pairs.map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
        serde_json::from_value(Value::Object(object))
            .map_err(|error| StorageError::invalid_request(error.to_string()))
    }

    /// What [`Self::read`] reads.
    pub(super) fn said(&self) -> String {
        let number = |name, value: Option<u32>| value.map(|value| format!("{name}:{value}"));
        let resizes = self.width.or(self.height).is_some();
        let parts = [
            number("height", self.height),
            number("width", self.width),
            resizes.then(|| format!("resize:{}", self.resize.name())),
            number("quality", self.quality.map(u32::from)),
            self.format.map(|Format::Origin| "format:origin".to_owned()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(",")
    }

    /// Does it. This takes its time.
    pub(super) fn apply(&self, bytes: &[u8], takes_webp: bool) -> Result<Rendered, StorageError> {
        let invalid = || StorageError::image("Invalid source image");
        let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| invalid())?;
        let origin = reader.format().ok_or_else(invalid)?;
        let mut decoder = reader.into_decoder().map_err(|_| invalid())?;
        let (width, height) = decoder.dimensions();
        if u64::from(width) * u64::from(height) > MOST_PIXELS {
            return Err(StorageError::image("Source image resolution is too big"));
        }
        let orientation = decoder.orientation().ok();
        let mut image = DynamicImage::from_decoder(decoder).map_err(|_| invalid())?;
        if let Some(orientation) = orientation {
            image.apply_orientation(orientation);
        }
        let image = self.fit(&image);
        let format = if takes_webp && self.format.is_none() { ImageFormat::WebP } else { origin };
        let bytes = self.encode(&image, format).map_err(|_| StorageError::image("Invalid image"))?;
        Ok(Rendered { bytes, mime: format.to_mime_type() })
    }

    fn fit(&self, image: &DynamicImage) -> DynamicImage {
        let Frame { scaled, shown } = self.frame(image.width(), image.height());
        let scaled_image = image.resize_exact(scaled.0, scaled.1, FilterType::Triangle);
        let (left, top) = ((scaled.0 - shown.0) / 2, (scaled.1 - shown.1) / 2);
        scaled_image.crop_imm(left, top, shown.0, shown.1)
    }

    fn frame(&self, width: u32, height: u32) -> Frame {
        // By how much each side is to shrink; a side nobody named goes with the other.
        let shrink =
            |side: u32, wanted: Option<u32>| wanted.map(|wanted| f64::from(side) / f64::from(wanted));
        let (across, down) = match (shrink(width, self.width), shrink(height, self.height), self.resize) {
            (None, None, _) => (1.0, 1.0),
            (across, down, Resize::Fill) => (across.unwrap_or(1.0), down.unwrap_or(1.0)),
            (Some(one), None, Resize::Cover | Resize::Contain)
            | (None, Some(one), Resize::Cover | Resize::Contain) => (one, one),
            (Some(across), Some(down), Resize::Cover) => (across.min(down), across.min(down)),
            (Some(across), Some(down), Resize::Contain) => (across.max(down), across.max(down)),
        };
        let larger = across.min(down).min(1.0);
        let by = |side: u32, shrink: f64| ((f64::from(side) / (shrink / larger)).round() as u32).max(1);
        let scaled = (by(width, across), by(height, down));
        let most = |side: u32, wanted: Option<u32>| wanted.map_or(side, |wanted| side.min(wanted));
        Frame { scaled, shown: (most(scaled.0, self.width), most(scaled.1, self.height)) }
    }

    fn encode(&self, image: &DynamicImage, format: ImageFormat) -> image::ImageResult<Vec<u8>> {
        let mut bytes = Vec::new();
        if format == ImageFormat::Jpeg {
            let quality = self.quality.unwrap_or(QUALITY);
            image.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality))?;
        } else {
            // Not every depth of colour can be written.
            let image = DynamicImage::from(image.to_rgba8());
            image.write_to(&mut Cursor::new(&mut bytes), format)?;
        }
        Ok(bytes)
    }
}

impl TryFrom<Asked> for Transform {
    type Error = String;

    fn try_from(asked: Asked) -> Result<Self, String> {
        let side = |name, value| Ok::<_, String>(number(name, value, 0, u32::MAX)?.filter(|side| *side > 0));
        let quality = number("quality", asked.quality, 20, 100)?;
        Ok(Self {
            width: side("width", asked.width)?.map(|side| side.min(LARGEST_SIDE)),
            height: side("height", asked.height)?.map(|side| side.min(LARGEST_SIDE)),
            resize: match asked.resize.as_deref() {
                None | Some("cover") => Resize::Cover,
                Some("contain") => Resize::Contain,
                Some("fill") => Resize::Fill,
                Some(_) => return Err("resize must be equal to one of the allowed values".to_owned()),
            },
            quality: quality.and_then(|quality| u8::try_from(quality).ok()),
            format: match asked.format.as_deref() {
                None => None,
                Some("origin") => Some(Format::Origin),
                Some(_) => return Err("format must be equal to one of the allowed values".to_owned()),
            },
        })
    }
}

impl Resize {
    fn name(self) -> &'static str {
        match self {
            Self::Cover => "cover",
            Self::Contain => "contain",
            Self::Fill => "fill",
        }
    }
}

/// A number, as one or as its digits.
fn number(name: &str, value: Option<Value>, least: u32, most: u32) -> Result<Option<u32>, String> {
    let Some(value) = value else { return Ok(None) };
    let number = match &value {
        Value::String(digits) => digits.parse().ok(),
        value => value.as_i64(),
    };
    let number = number.ok_or_else(|| format!("{name} must be integer"))?;
    if number < i64::from(least) {
        return Err(format!("{name} must be >= {least}"));
    }
    match u32::try_from(number) {
        Ok(number) if number <= most => Ok(Some(number)),
        _ => Err(format!("{name} must be <= {most}")),
    }
}

#[cfg(test)]
mod tests {
    use image::{GenericImageView as _, Rgb, RgbImage};

    use super::*;

    fn frame(said: &str, width: u32, height: u32) -> ((u32, u32), (u32, u32)) {
        let Frame { scaled, shown } = Transform::read(said).unwrap().frame(width, height);
        (scaled, shown)
    }

    #[test]
    fn an_image_fills_a_frame_fits_into_it_or_is_pressed_into_it() {
        for (said, scaled, shown) in [
            ("", (400, 200), (400, 200)),
            ("width:100", (100, 50), (100, 50)),
            ("height:100", (200, 100), (200, 100)),
            ("width:100,height:100", (200, 100), (100, 100)),
            ("width:100,height:100,resize:contain", (100, 50), (100, 50)),
            ("width:100,height:100,resize:fill", (100, 100), (100, 100)),
            ("width:100,resize:fill", (100, 200), (100, 200)),
            ("width:800", (400, 200), (400, 200)),
            ("width:800,height:100", (400, 200), (400, 100)),
            ("width:800,height:100,resize:fill", (400, 50), (400, 50)),
            ("width:1,resize:contain", (1, 1), (1, 1)),
            ("width:0,height:9000", (400, 200), (400, 200)),
        ] {
            assert_eq!(frame(said, 400, 200), (scaled, shown), "{said}");
        }
    }

    #[test]
    fn what_is_said_is_read_again_and_nonsense_is_not() {
        let said = "height:20,width:10,resize:fill,quality:50,format:origin";
        assert_eq!(Transform::read(said).unwrap().said(), said);
        assert_eq!(Transform::default().said(), "");
        for wrong in ["width:a", "width:-1", "quality:19", "quality:101", "resize:stretch", "format:bmp"] {
            assert!(Transform::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_image_keeps_its_format_unless_webp_is_welcome() {
        let image = DynamicImage::from(RgbImage::from_pixel(40, 20, Rgb([200, 0, 0])));
        let half = Transform::read("width:20").unwrap();
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
            let bytes = Transform::default().encode(&image, format).unwrap();
            let rendered = half.apply(&bytes, false).unwrap();
            let read = image::load_from_memory(&rendered.bytes).unwrap();
            assert_eq!((rendered.mime, read.dimensions()), (format.to_mime_type(), (20, 10)));
            assert_eq!(half.apply(&bytes, true).unwrap().mime, "image/webp");
        }
        for broken in [&b"tea"[..], b"", b"\x89PNG\r\n\x1a\n"] {
            assert!(half.apply(broken, false).is_err());
        }
    }
}
