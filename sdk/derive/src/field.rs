//! Fields as both derives see them: their name in Rust, in JSON, and their type.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::meta::ParseNestedMeta;
use syn::{
    Attribute, Data, DeriveInput, Error, Fields, GenericArgument, Ident, LitStr, PathArguments, Result, Type,
    Visibility,
};

/// The named fields of a struct without parameters.
pub(crate) fn named(input: &DeriveInput) -> Result<impl Iterator<Item = &syn::Field>> {
    if let Some(parameter) = input.generics.params.first() {
        return Err(Error::new_spanned(parameter, "a row has no type parameters"));
    }
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Ok(fields.named.iter()),
            _ => Err(Error::new_spanned(&input.ident, "a row has named fields, one for each column")),
        },
        _ => Err(Error::new_spanned(&input.ident, "a row is a struct")),
    }
}

/// Reads the arguments of every attribute of this name.
pub(crate) fn arguments(
    attributes: &[Attribute],
    name: &str,
    mut read: impl FnMut(ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    attributes.iter().filter(|it| it.path().is_ident(name)).try_for_each(|it| it.parse_nested_meta(&mut read))
}

/// The text after `name = `.
pub(crate) fn text(meta: &ParseNestedMeta<'_>) -> Result<String> {
    Ok(meta.value()?.parse::<LitStr>()?.value())
}

/// What serde was told of a name.
#[derive(Default)]
pub(crate) struct Serde {
    pub(crate) rename: Option<String>,
    pub(crate) rename_all: Option<String>,
    pub(crate) flatten: bool,
    pub(crate) skip: bool,
    /// True if it is written in a way of its own.
    pub(crate) by_hand: bool,
}

impl Serde {
    /// Reads serde's own attributes; what is not about names is passed over.
    pub(crate) fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut serde = Self::default();
        arguments(attributes, "serde", |meta| {
            let path = &meta.path;
            if path.is_ident("rename") {
                serde.rename = name_of(&meta)?.or(serde.rename.take());
            } else if path.is_ident("rename_all") {
                serde.rename_all = name_of(&meta)?.or(serde.rename_all.take());
            } else if path.is_ident("flatten") {
                serde.flatten = true;
            } else if path.is_ident("skip") || path.is_ident("skip_deserializing") {
                serde.skip = true;
            } else {
                serde.by_hand |= path.is_ident("with") || path.is_ident("serialize_with");
                pass_over(&meta)?;
            }
            Ok(())
        })?;
        Ok(serde)
    }

    /// The name of a field in JSON.
    pub(crate) fn name(self, field: &Ident, container: &Self) -> String {
        let plain = field.unraw().to_string();
        self.rename.unwrap_or_else(|| match container.rename_all.as_deref() {
            Some(rule) => renamed(&plain, rule),
            None => plain,
        })
    }
}

/// `rename = "x"`, or the reading half of `rename(serialize = "y", deserialize = "x")`.
fn name_of(meta: &ParseNestedMeta<'_>) -> Result<Option<String>> {
    if meta.input.peek(syn::Token![=]) {
        return text(meta).map(Some);
    }
    let mut read = None;
    meta.parse_nested_meta(|meta| {
        let name = text(&meta)?;
        if meta.path.is_ident("deserialize") {
            read = Some(name);
        }
        Ok(())
    })?;
    Ok(read)
}

fn pass_over(meta: &ParseNestedMeta<'_>) -> Result<()> {
    if meta.input.peek(syn::Token![=]) {
        meta.value()?.parse::<syn::Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        meta.parse_nested_meta(|meta| pass_over(&meta))?;
    }
    Ok(())
}

/// A snake_case name by one of serde's rules.
fn renamed(name: &str, rule: &str) -> String {
    let capitals = |name: &str| -> String {
        name.split('_')
            .flat_map(|word| {
                let mut chars = word.chars();
                chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect::<Vec<_>>()
            })
            .collect()
    };
    match rule {
        "UPPERCASE" | "SCREAMING_SNAKE_CASE" => name.to_uppercase(),
        "PascalCase" => capitals(name),
        "camelCase" => {
            let pascal = capitals(name);
            let mut chars = pascal.chars();
            chars.next().into_iter().flat_map(char::to_lowercase).chain(chars).collect()
        }
        "kebab-case" => name.replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => name.to_uppercase().replace('_', "-"),
        _ => name.to_owned(), // snake_case and lowercase leave a field's name as it is; serde refuses others
    }
}

/// The constant a field's column or embed is known by: `starts_at` is `STARTS_AT`, `type_` is `TYPE`.
pub(crate) fn constant(field: &Ident) -> Result<Ident> {
    named_constant(&field.unraw().to_string(), field.span())
}

/// The constant of the field that a column of this name would have: `startsAt` is `STARTS_AT`, and
/// `first name` is `FIRST_NAME`.
pub(crate) fn named_constant(column: &str, span: Span) -> Result<Ident> {
    let mut name = String::new();
    for char in column.trim_end_matches('_').chars() {
        if char.is_uppercase()
            && name.chars().last().is_some_and(|last| last.is_lowercase() || last.is_numeric())
        {
            name.push('_');
        }
        match char.is_alphanumeric() {
            true => name.extend(char.to_lowercase()),
            false => name.push('_'),
        }
    }
    let name = name.to_uppercase();
    syn::parse_str::<Ident>(&name).map(|_| Ident::new(&name, span)).map_err(|_| {
        Error::new(span, format!("{column:?} gives no name for a constant; rename the field, and name the column by #[serde(rename)]"))
    })
}

/// The constant that is there if a column may not be null; its name is what the compiler says otherwise.
pub(crate) fn never_null(column: &Ident) -> Ident {
    Ident::new(&format!("{column}_IS_NEVER_NULL"), column.span())
}

/// What is inside `Option<…>`, `Vec<…>` or `Box<…>`, if the type is that.
pub(crate) fn inside<'a>(wrapper: &str, wrapped: &'a Type) -> Option<&'a Type> {
    let Type::Path(path) = wrapped else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == wrapper)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(inner) => Some(inner),
        _ => None, // a lifetime or a constant: none of these wrappers
    }
}

/// The method that sets a field which may be unset.
pub(crate) fn setter(ident: &Ident, vis: &Visibility, value: &Type) -> TokenStream {
    let doc = format!("Sets `{}`.", ident.unraw());
    // What a shape has already, or every type: a column of that name is set by another.
    let taken = ["new", "default", "clone", "into", "from"].iter().any(|name| ident == name);
    let method = if taken { Ident::new(&format!("set_{ident}"), ident.span()) } else { ident.clone() };
    quote! {
        #[doc = #doc]
        #[must_use]
        #vis fn #method(mut self, value: impl ::supabase_sdk::rest::Assign<#value>) -> Self {
            self.#ident = ::supabase_sdk::rest::Set::To(::supabase_sdk::rest::Assign::assign(value));
            self
        }
    }
}

/// The type of a column's values: without the `Option` that says it may be null.
pub(crate) fn value(field: &Type) -> &Type {
    inside("Option", field).unwrap_or(field)
}
