//! One of many: the name of a row, from the name of its table.
//!
//! The rules are those of English, and careful: a word they do not know keeps its form, since a plural
//! that was left reads better than a word that was cut.

/// Nouns whose singular no rule gives.
const IRREGULAR: [(&str, &str); 38] = [
    ("analyses", "analysis"),
    ("axes", "axis"),
    ("calves", "calf"),
    ("children", "child"),
    ("crises", "crisis"),
    ("criteria", "criterion"),
    ("diagnoses", "diagnosis"),
    ("elves", "elf"),
    ("feet", "foot"),
    ("geese", "goose"),
    ("halves", "half"),
    ("hypotheses", "hypothesis"),
    ("indices", "index"),
    ("knives", "knife"),
    ("leaves", "leaf"),
    ("lenses", "lens"),
    ("lives", "life"),
    ("loaves", "loaf"),
    ("matrices", "matrix"),
    ("men", "man"),
    ("mice", "mouse"),
    ("movies", "movie"),
    ("oxen", "ox"),
    ("people", "person"),
    ("phenomena", "phenomenon"),
    ("quizzes", "quiz"),
    ("scarves", "scarf"),
    ("selves", "self"),
    ("shelves", "shelf"),
    ("synopses", "synopsis"),
    ("teeth", "tooth"),
    ("theses", "thesis"),
    ("thieves", "thief"),
    ("vertices", "vertex"),
    ("wives", "wife"),
    ("wolves", "wolf"),
    ("women", "woman"),
    ("yeses", "yes"),
];

/// Nouns that end in an s and are one already, or are never one.
const UNCHANGED: [&str; 44] = [
    "alias",
    "analytics",
    "athletics",
    "atlas",
    "aws",
    "bias",
    "canvas",
    "clothes",
    "cors",
    "cosmos",
    "dns",
    "economics",
    "electronics",
    "ethics",
    "gas",
    "goods",
    "gps",
    "has",
    "https",
    "ios",
    "js",
    "lens",
    "logistics",
    "mathematics",
    "means",
    "news",
    "os",
    "pants",
    "physics",
    "politics",
    "pos",
    "rss",
    "saas",
    "scissors",
    "series",
    "sms",
    "sos",
    "species",
    "statistics",
    "tls",
    "trousers",
    "vs",
    "yes",
    "whereas",
];

/// Nouns in -us, -is, -as and -o whose plural has an -es that goes as a whole.
const WITH_ES: [&str; 27] = [
    "alias",
    "apparatus",
    "atlas",
    "bias",
    "bonus",
    "bus",
    "cactus",
    "campus",
    "canvas",
    "census",
    "chorus",
    "circus",
    "consensus",
    "echo",
    "focus",
    "gas",
    "hero",
    "iris",
    "octopus",
    "potato",
    "prospectus",
    "radius",
    "status",
    "surplus",
    "tomato",
    "veto",
    "virus",
];

/// Plurals in -us and -is, where a word mostly is one already.
const PLAIN: [&str; 17] = [
    "apis", "bikinis", "cpus", "emojis", "emus", "gnus", "gpus", "gurus", "haikus", "kiwis", "kpis", "menus",
    "pois", "skis", "skus", "taxis", "uris",
];

/// What precedes the -ies of nouns in -ie that are longer than a tie.
const WITH_IE: [&str; 8] = ["brown", "calor", "cook", "gen", "hood", "rook", "self", "zomb"];

/// What precedes the -es of nouns in -che.
const WITH_CHE: [&str; 6] = ["ach", "avalanch", "cach", "headach", "mustach", "nich"];

/// The singular of a noun in small letters.
pub(crate) fn singular(noun: &str) -> String {
    if let Some((_, one)) = IRREGULAR.iter().find(|(many, _)| *many == noun) {
        return (*one).to_owned();
    }
    if UNCHANGED.contains(&noun) {
        return noun.to_owned();
    }
    let without = |ending: &str| noun.strip_suffix(ending);
    if let Some(one) = without("es").filter(|one| WITH_ES.contains(one)) {
        return one.to_owned();
    }
    // Categories, and not ties, movies or cookies.
    if let Some(stem) = without("ies").filter(|stem| stem.chars().count() > 1) {
        return if WITH_IE.contains(&stem) { format!("{stem}ie") } else { format!("{stem}y") };
    }
    // Addresses, dishes, batches and boxes, and not caches.
    let hissing = ["sses", "shes", "ches", "xes", "zzes"].iter().any(|ending| noun.ends_with(ending));
    if let Some(one) = without("es").filter(|one| hissing && !WITH_CHE.contains(one)) {
        return one.to_owned();
    }
    if ["ss", "us", "is"].iter().any(|ending| noun.ends_with(ending)) && !PLAIN.contains(&noun) {
        return noun.to_owned();
    }
    match without("s") {
        Some(one) if one.chars().count() > 1 => one.to_owned(),
        _ => noun.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::singular;

    #[test]
    fn a_plural_becomes_one() {
        let cases = [
            ("customers", "customer"),
            ("lines", "line"),
            ("categories", "category"),
            ("specialties", "specialty"),
            ("cookies", "cookie"),
            ("ties", "tie"),
            ("statuses", "status"),
            ("buses", "bus"),
            ("houses", "house"),
            ("causes", "cause"),
            ("addresses", "address"),
            ("batches", "batch"),
            ("caches", "cache"),
            ("coaches", "coach"),
            ("boxes", "box"),
            ("heroes", "hero"),
            ("shoes", "shoe"),
            ("aliases", "alias"),
            ("databases", "database"),
            ("purchases", "purchase"),
            ("responses", "response"),
            ("sizes", "size"),
            ("people", "person"),
            ("settings", "setting"),
            ("menus", "menu"),
            ("mechanics", "mechanic"),
            ("topics", "topic"),
            ("areas", "area"),
            ("ids", "id"),
        ];
        for (many, one) in cases {
            assert_eq!(singular(many), one);
        }
    }

    #[test]
    fn a_word_that_is_one_stays() {
        let words = [
            "customer",
            "status",
            "bus",
            "news",
            "series",
            "data",
            "address",
            "analysis",
            "basis",
            "gas",
            "analytics",
            "sms",
            "media",
            "stock",
            "s",
            "as",
            "",
            "données",
        ];
        for word in words {
            assert_eq!(singular(word), if word == "données" { "donnée" } else { word });
        }
    }
}
