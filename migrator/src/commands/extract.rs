//! `migrator extract`: what an app keeps in a browser, as a file.

use crate::args;
use crate::exit::{self, Failure};
use crate::extract::bookmarklet::Bookmarklet;
use crate::printer::Printer;

/// Runs the command, and says how it ended.
///
/// # Errors
/// Exit code 2 when it is not clear which site or profile is meant, or the file cannot be written; 5 when
/// the profile cannot be read.
pub fn run(args: &args::Extract, printer: &mut Printer) -> Result<u8, Failure> {
    if args.bookmarklet {
        let bookmarklet = Bookmarklet::new();
        printer.result(&bookmarklet, &bookmarklet.words(printer.lang()));
    }
    #[cfg(feature = "profiles")]
    if let Some(folder) = &args.profile {
        from_profile::run(folder, args, printer)?;
    }
    Ok(exit::OK)
}

#[cfg(feature = "profiles")]
mod from_profile {
    use std::fmt::Write as _;
    use std::io::{self, Write as _};
    use std::path::Path;

    use serde::Serialize;
    use tempfile::NamedTempFile;

    use crate::args;
    use crate::exit::{self, Failure};
    use crate::extract::{Area, Line, profile};
    use crate::lang::{Lang, Phrase};
    use crate::printer::{Printer, plain};

    /// What was taken out, and where to.
    #[derive(Serialize)]
    struct Extracted<'a> {
        #[serde(flatten)]
        line: Line,
        left_out: &'a [String],
        out: &'a Path,
    }

    pub(super) fn run(folder: &Path, args: &args::Extract, printer: &mut Printer) -> Result<(), Failure> {
        let profile = profile::read(folder)?;
        if args.list {
            let lines: Vec<Line> = profile.areas.iter().map(Area::line).collect();
            printer.result(&lines, &table(&lines, printer.lang()));
            return profile.damaged.into_iter().next().map_or(Ok(()), Err);
        }
        let mut area = profile.area(args.origin.as_deref())?;
        let left_out = area.without_sessions();
        if !left_out.is_empty() {
            printer.warn(&format!("left out, as they hold a session: {}", plain(&left_out.join(", "))));
        }
        let Some(out) = &args.out else {
            printer.text(&area.to_json());
            return Ok(());
        };
        write(out, &area.to_json()).map_err(|error| {
            Failure::new(exit::USAGE, "usage.out", format!("{} cannot be written: {error}", out.display()))
                .help("name a file in a folder that is there")
                .because(error)
        })?;
        let line = area.line();
        let (site, file) = (plain(&line.origin), out.display());
        let words =
            printer.lang().tally_with(Phrase::KeysAreIn, line.keys, &[("site", &site), ("file", &file)]);
        printer.result(&Extracted { line, left_out: &left_out, out }, &words);
        Ok(())
    }

    /// Writes a file that only its owner may read, whole or not at all.
    fn write(out: &Path, json: &str) -> io::Result<()> {
        let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(json.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(out)?;
        Ok(())
    }

    fn table(lines: &[Line], lang: Lang) -> String {
        let [keys, characters, site] =
            [Phrase::Keys, Phrase::Characters, Phrase::Site].map(|label| lang.say(label));
        let mut text = format!("{keys:>8} {characters:>12}  {site}");
        for Line { origin, keys, characters } in lines {
            let (keys, characters) = (lang.digits(*keys), lang.digits(*characters));
            let _ = write!(text, "\n{keys:>8} {characters:>12}  {}", plain(origin)); // a String takes everything
        }
        text
    }
}
