//! What a browser itself runs to give out what an app keeps in it.
//!
//! `JSON.stringify(localStorage)` forgets keys that `Storage` has members of, such as `length`
//! or `key`; so each key is asked for by its place. The link is clicked outside the page, where
//! no script of the app hears of it, and nothing is written into the page, so that strict pages
//! have nothing to forbid.

use serde::Serialize;

use crate::lang::{Lang, Phrase};

/// The script. It has none of the characters that an address would have to escape but the space.
const SCRIPT: &str = "void function(){try{\
    var s=localStorage,p=Storage.prototype,e=[],i=0,k;\
    while((k=p.key.call(s,i++))!==null)e.push(JSON.stringify(k)+':'+JSON.stringify(p.getItem.call(s,k)));\
    if(!e.length)return alert('This page keeps nothing in localStorage. Open the app itself, in its own tab.');\
    var a=document.createElement('a');\
    a.href=URL.createObjectURL(new Blob(['{'+e.join()+'}'],{type:'application/json'}));\
    a.download=((location.host||'file')+'-'+new Date().toISOString().slice(0,10)).replace(/[^a-z0-9.-]+/gi,'_')+'.json';\
    a.click()\
    }catch(e){alert(e)}}()";

/// Two ways to run one script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bookmarklet {
    /// The address of a bookmark.
    pub bookmarklet: String,
    /// A line for the console.
    pub console: String,
}

impl Bookmarklet {
    /// The script, both ways.
    pub fn new() -> Self {
        Self { bookmarklet: format!("javascript:{}", SCRIPT.replace(' ', "%20")), console: SCRIPT.to_owned() }
    }

    /// What a person reads.
    pub fn words(&self, lang: Lang) -> String {
        let Self { bookmarklet, console } = self;
        let [as_bookmark, in_console, then] =
            [Phrase::BookmarkletHow, Phrase::ConsoleHow, Phrase::BookmarkletThen].map(|how| lang.say(how));
        format!("{as_bookmark}\n\n{bookmarklet}\n\n{in_console}\n\n{console}\n\n{then}")
    }
}

impl Default for Bookmarklet {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_bar_and_an_attribute_leave_it_as_it_is() {
        let Bookmarklet { bookmarklet, console } = Bookmarklet::new();
        let code = bookmarklet.strip_prefix("javascript:").expect("the scheme");
        assert!(code.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"#<>\\`".contains(&byte)), "{code}");
        assert_eq!(code.replace("%20", " "), console);
        assert!(!console.contains('%') && !console.contains('\n'));
    }
}
