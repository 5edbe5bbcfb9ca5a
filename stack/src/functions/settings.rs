//! What a project's people say of its functions: in `config.toml`, in `supabase/functions`, and when the
//! stack is started.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::ErrorKind,
    path::Path,
    str::FromStr,
};

use anyhow::Context as _;
use serde::Deserialize;

use super::function::{Function, Handler, address};

/// The functions of a project.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    configured: BTreeMap<String, Configured>,
    served: BTreeMap<String, Function>,
    /// Those there is code for that is not run here.
    code: BTreeSet<String>,
}

/// `NAME=URL` or `NAME=PROGRAM`: what answers for a function.
#[derive(Debug, Clone)]
pub struct Served {
    name: String,
    function: Function,
}

/// What `config.toml` says of a function; the rest is for those who run its code.
#[derive(Debug, Clone, Deserialize)]
struct Configured {
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default = "yes")]
    verify_jwt: bool,
}

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(default)]
    functions: BTreeMap<String, Configured>,
}

impl Settings {
    /// As the directory that holds `config.toml` says; without one, every function wants a token.
    ///
    /// # Errors
    /// If something there can not be read.
    pub fn read(supabase: &Path) -> anyhow::Result<Self> {
        let file = supabase.join("config.toml");
        let configured = match fs::read_to_string(&file) {
            Ok(text) => configured(&text).with_context(|| format!("{} can not be read", file.display()))?,
            Err(error) if error.kind() == ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error).with_context(|| format!("{} can not be read", file.display())),
        };
        let folder = supabase.join("functions");
        let code = code_in(&folder).with_context(|| format!("{} can not be read", folder.display()))?;
        Ok(Self { configured, code, served: BTreeMap::new() })
    }

    /// With these to answer for theirs.
    pub fn serve(mut self, served: &[Served]) -> Self {
        self.served.extend(served.iter().map(|served| (served.name.clone(), served.function.clone())));
        self
    }

    /// Those there is code for and nothing that answers.
    pub fn unserved(&self) -> impl Iterator<Item = &str> {
        self.code.iter().map(String::as_str).filter(|name| !self.served.contains_key(*name))
    }

    pub(super) fn served(&self, name: &str) -> Option<&Function> {
        let enabled = self.configured.get(name).is_none_or(|configured| configured.enabled);
        self.served.get(name).filter(|_| enabled)
    }

    pub(super) fn verifies(&self, name: &str) -> bool {
        self.configured.get(name).is_none_or(|configured| configured.verify_jwt)
    }

    /// For one whose code is there and is not run: what to do about it.
    pub(super) fn code_of(&self, name: &str) -> Option<String> {
        self.code.contains(name).then(|| next_step(name))
    }
}

impl FromStr for Served {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, target) = text.split_once('=').ok_or("say NAME=URL or NAME=PROGRAM")?;
        if !is_name(name) || target.is_empty() {
            return Err("say NAME=URL or NAME=PROGRAM; a name has letters, digits, - and _");
        }
        let handler = if target.contains("://") {
            Handler::Proxy { url: address(target)? }
        } else {
            Handler::Command { program: vec![target.to_owned()] }
        };
        Ok(Self { name: name.to_owned(), function: Function::of(handler) })
    }
}

/// How code that is not run here is served all the same.
fn next_step(name: &str) -> String {
    format!(
        "The local stack does not run Deno: start `deno run --allow-all supabase/functions/{name}/index.ts`, \
         which listens on port 8000, and start the stack with `--function {name}=http://127.0.0.1:8000`"
    )
}

fn configured(text: &str) -> Result<BTreeMap<String, Configured>, toml::de::Error> {
    Ok(toml::from_str::<Config>(text)?.functions)
}

/// The functions with a folder of their own; what begins with `_` is shared among them, and is none.
fn code_in(folder: &Path) -> std::io::Result<BTreeSet<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
        entries => entries?,
    };
    let mut found = BTreeSet::new();
    for entry in entries {
        let entry = entry?;
        let name =
            entry.file_name().into_string().ok().filter(|name| is_name(name) && !name.starts_with('_'));
        if let Some(name) = name.filter(|_| entry.path().is_dir()) {
            found.insert(name);
        }
    }
    Ok(found)
}

fn is_name(name: &str) -> bool {
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !name.is_empty() && name.bytes().all(may_stand)
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_wants_a_token_unless_the_config_says_otherwise() {
        let text = "[functions.open]\nverify_jwt = false\nimport_map = './a.json'\n[functions.off]\nenabled = false\n[api]\nport = 1";
        let settings = Settings { configured: configured(text).unwrap(), ..Settings::default() };
        assert!(!settings.verifies("open") && settings.verifies("off") && settings.verifies("unknown"));
        assert!(configured("[functions.a]\nverify_jwt = 'no'").is_err());
    }

    #[test]
    fn what_answers_is_an_address_or_a_program() {
        let served: Vec<Served> =
            ["a=http://127.0.0.1:8000", "off=./b.sh"].iter().map(|text| text.parse().unwrap()).collect();
        let settings = Settings {
            configured: configured("[functions.off]\nenabled = false").unwrap(),
            code: ["a", "c"].map(str::to_owned).into(),
            ..Settings::default()
        };
        let settings = settings.serve(&served);
        assert!(matches!(*settings.served("a").unwrap().handler, Handler::Proxy { .. }));
        assert!(settings.served("off").is_none() && settings.served("c").is_none());
        assert_eq!(settings.unserved().collect::<Vec<_>>(), ["c"]);
        assert!(settings.code_of("c").unwrap().contains("--function c="));
        for wrong in ["a", "=http://a", "a=", "a/b=c", "a=ftp://b"] {
            assert!(wrong.parse::<Served>().is_err(), "{wrong}");
        }
    }
}
