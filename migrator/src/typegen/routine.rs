//! Functions: a struct that holds the arguments, and what comes back.

use crate::catalog::{Argument, Function, TypeName, Way};
use crate::typegen::item::{Field, ROW, said, table, write_struct};
use crate::typegen::scope::{RoutineNames, Scope};
use crate::typegen::source::{Source, code, literal};

/// What a function takes or returns that no client can send or read.
const INTERNAL: [&str; 10] = [
    "cstring",
    "event_trigger",
    "fdw_handler",
    "index_am_handler",
    "internal",
    "language_handler",
    "pg_ddl_command",
    "table_am_handler",
    "trigger",
    "tsm_handler",
];

/// True for what only the server calls, when something happens.
pub(crate) fn is_trigger(function: &Function) -> bool {
    ["trigger", "event_trigger"].iter().any(|name| is(&function.returns, name))
}

/// True for a function with a row of its own: its OUT arguments or its TABLE, even of one column.
pub(crate) fn has_row(function: &Function) -> bool {
    function.arguments.iter().any(|argument| matches!(argument.way, Way::Out | Way::InOut))
}

/// Its name with the types it takes, which tells overloads apart.
pub(crate) fn signature(function: &Function) -> String {
    let arguments: Vec<String> = inputs(function).map(|argument| argument.of.to_string()).collect();
    format!("{}({})", function.object.name, arguments.join(", "))
}

/// Why the REST API cannot call a function, if it cannot.
pub(crate) fn obstacle(function: &Function) -> Option<String> {
    let strange = |of: &&TypeName| {
        let name = of.name.as_str();
        of.schema == "pg_catalog" && (name.starts_with("any") || INTERNAL.contains(&name))
    };
    if function.arguments.iter().any(|argument| argument.way == Way::Variadic) {
        return Some("takes any number of arguments".to_owned());
    }
    if inputs(function).any(|argument| argument.name.is_empty()) {
        return Some("has an argument without a name".to_owned());
    }
    if let Some(of) = inputs(function).map(|argument| &argument.of).find(|of| strange(of) || is(of, "record"))
    {
        return Some(format!("takes an argument of type {of}"));
    }
    let outputs = function.arguments.iter().map(|argument| &argument.of).chain([&function.returns]);
    if let Some(of) = outputs.into_iter().find(strange) {
        return Some(format!("returns {of}"));
    }
    (is(&function.returns, "record") && !has_row(function))
        .then(|| "returns a record that does not say its columns".to_owned())
}

/// Writes a function: its arguments, its row if it has one of its own, and how it is called.
pub(crate) fn write(function: &Function, names: &RoutineNames, scope: &Scope<'_>, source: &mut Source) {
    source.line(0, "");
    source.doc(0, &[said(&function.object, &format!("Calls {}.", code(&signature(function))))]);
    source.line(0, "#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]");
    let fields = inputs(function).map(|argument| {
        let rust = scope.rust(&argument.of);
        Field {
            doc: Vec::new(),
            marks: Vec::new(),
            column: argument.name.clone(),
            of: if argument.default { format!("supabase_sdk::rest::Set<Option<{rust}>>") } else { rust },
            may_be_unset: argument.default,
        }
    });
    write_struct(&names.call, &fields.collect::<Vec<_>>(), source);
    if let Some(row) = &names.row {
        write_row(function, row, scope, source);
    }
    source.line(0, "");
    source.line(0, &format!("impl supabase_sdk::rest::Function for {} {{", names.call));
    source.line(1, &format!("const NAME: &'static str = {};", literal(&function.object.name)));
    if function.object.schema != "public" {
        let schema = literal(&function.object.schema);
        source.line(1, &format!("const SCHEMA: Option<&'static str> = Some({schema});"));
    }
    source.typed(1, "type Returns =", &returns(function, names, scope), ';');
    if function.reads {
        source.line(1, "const READS: bool = true;");
    }
    source.line(0, "}");
}

/// A function's own row. No column of it promises a value.
fn write_row(function: &Function, name: &str, scope: &Scope<'_>, source: &mut Source) {
    source.line(0, "");
    source.doc(0, &[vec![format!("Row of {}.", code(&function.object.name))]]);
    source.line(0, ROW);
    source.line(0, &format!("#[table({})]", table(&function.object).join(", ")));
    let outputs = function.arguments.iter().filter(|argument| matches!(argument.way, Way::Out | Way::InOut));
    let fields = outputs.enumerate().map(|(place, argument)| Field {
        doc: Vec::new(),
        marks: Vec::new(),
        // PostgreSQL names them so.
        column: match argument.name.as_str() {
            "" => format!("column{}", place + 1),
            name => name.to_owned(),
        },
        of: format!("Option<{}>", scope.rust(&argument.of)),
        may_be_unset: false,
    });
    write_struct(name, &fields.collect::<Vec<_>>(), source);
}

fn returns(function: &Function, names: &RoutineNames, scope: &Scope<'_>) -> String {
    let many = |of: &str| format!("supabase_sdk::rest::Many<{of}>");
    let one = |of: &str| format!("supabase_sdk::rest::One<{of}>");
    match &names.row {
        Some(row) if function.set => many(row),
        Some(row) => one(row),
        None if is(&function.returns, "void") => one("()"),
        None if function.set => many(&scope.rust(&function.returns)),
        None if scope.has_columns(&function.returns) => {
            format!("supabase_sdk::rest::OneRow<{}>", scope.rust(&function.returns))
        }
        None => one(&format!("Option<{}>", scope.rust(&function.returns))),
    }
}

/// The arguments that are sent.
fn inputs(function: &Function) -> impl Iterator<Item = &Argument> {
    function.arguments.iter().filter(|argument| argument.way != Way::Out)
}

fn is(of: &TypeName, name: &str) -> bool {
    of.schema == "pg_catalog" && of.name == name && !of.array
}
