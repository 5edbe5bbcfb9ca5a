//! Where in the world a function runs.

use std::fmt;

/// A region Supabase runs functions in.
///
/// ```
/// use supabase_sdk::functions::Region;
/// assert_eq!(Region::EuCentral1.as_str(), "eu-central-1");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Region {
    /// Wherever is nearest to who asks.
    #[default]
    Any,
    /// Tokyo
    ApNortheast1,
    /// Seoul
    ApNortheast2,
    /// Mumbai
    ApSouth1,
    /// Singapore
    ApSoutheast1,
    /// Sydney
    ApSoutheast2,
    /// Montreal
    CaCentral1,
    /// Frankfurt
    EuCentral1,
    /// Ireland
    EuWest1,
    /// London
    EuWest2,
    /// Paris
    EuWest3,
    /// São Paulo
    SaEast1,
    /// North Virginia
    UsEast1,
    /// North California
    UsWest1,
    /// Oregon
    UsWest2,
}

impl Region {
    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::ApNortheast1 => "ap-northeast-1",
            Self::ApNortheast2 => "ap-northeast-2",
            Self::ApSouth1 => "ap-south-1",
            Self::ApSoutheast1 => "ap-southeast-1",
            Self::ApSoutheast2 => "ap-southeast-2",
            Self::CaCentral1 => "ca-central-1",
            Self::EuCentral1 => "eu-central-1",
            Self::EuWest1 => "eu-west-1",
            Self::EuWest2 => "eu-west-2",
            Self::EuWest3 => "eu-west-3",
            Self::SaEast1 => "sa-east-1",
            Self::UsEast1 => "us-east-1",
            Self::UsWest1 => "us-west-1",
            Self::UsWest2 => "us-west-2",
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
