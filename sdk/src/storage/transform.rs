//! Images in another size, made by the server as they are read.

use std::borrow::Cow;

use serde::Serialize;

/// How an image is to be changed on its way. What is not said stays.
///
/// ```
/// use supabase_sdk::storage::{Resize, Transform};
/// let thumb = Transform::default().width(200).height(200).resize(Resize::Contain).quality(60);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Transform {
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resize: Option<Resize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<u8>,
}

/// What becomes of an image whose sides have another ratio than those asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Resize {
    /// It fills both sides, and what is over is cut.
    Cover,
    /// It fits into both sides.
    Contain,
    /// It is stretched to both sides.
    Fill,
}

impl Transform {
    /// So wide, in pixels.
    #[must_use]
    pub fn width(mut self, pixels: u32) -> Self {
        self.width = Some(pixels);
        self
    }

    /// So high, in pixels.
    #[must_use]
    pub fn height(mut self, pixels: u32) -> Self {
        self.height = Some(pixels);
        self
    }

    /// Fits it to both sides like that; the server covers them otherwise.
    #[must_use]
    pub fn resize(mut self, resize: Resize) -> Self {
        self.resize = Some(resize);
        self
    }

    /// Of this quality, from 20 to 100; the server takes 80 otherwise.
    #[must_use]
    pub fn quality(mut self, quality: u8) -> Self {
        self.quality = Some(quality);
        self
    }

    /// Keeps its format; the server gives WebP otherwise, to who takes that.
    #[must_use]
    pub fn keep_format(mut self) -> Self {
        self.format = Some("origin");
        self
    }

    /// What stands in an address.
    pub(super) fn pairs(self) -> Vec<(Cow<'static, str>, String)> {
        let resize = self.resize.map(|resize| match resize {
            Resize::Cover => "cover",
            Resize::Contain => "contain",
            Resize::Fill => "fill",
        });
        let pairs = [
            ("width", self.width.map(|width| width.to_string())),
            ("height", self.height.map(|height| height.to_string())),
            ("resize", resize.map(str::to_owned)),
            ("format", self.format.map(str::to_owned)),
            ("quality", self.quality.map(|quality| quality.to_string())),
        ];
        pairs.into_iter().filter_map(|(name, value)| Some((name.into(), value?))).collect()
    }
}
