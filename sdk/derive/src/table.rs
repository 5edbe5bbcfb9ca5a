//! `#[derive(Table)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, DeriveInput, Error, Ident, Path, Result, Type, Visibility};

use crate::field::{self, Serde};

/// What is said of the table.
#[derive(Default)]
struct Container {
    name: Option<String>,
    schema: Option<String>,
    references: Vec<Path>,
    insert: Option<Ident>,
    update: Option<Ident>,
}

/// One column.
struct Column<'a> {
    ident: &'a Ident,
    vis: &'a Visibility,
    docs: Vec<&'a Attribute>,
    ty: &'a Type,
    name: String,
    key: bool,
    default: bool,
    generated: bool,
    by_hand: bool,
}

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let container = Container::read(&input.attrs)?;
    let serde = Serde::read(&input.attrs)?;
    let columns: Vec<Column<'_>> =
        field::named(input)?.map(|field| Column::read(field, &serde)).collect::<Result<_>>()?;
    let shaped = container.insert.is_some() || container.update.is_some();
    if let Some(column) = columns.iter().find(|column| shaped && column.by_hand && !column.generated) {
        let message = "a column that serde writes in a way of its own cannot stand in the shapes: give it a type \
                       that writes itself";
        return Err(Error::new_spanned(column.ty, message));
    }
    let Some(table) = &container.name else {
        return Err(Error::new_spanned(&input.ident, "say which table: #[table(name = \"…\")]"));
    };

    let row = &input.ident;
    let mut constants: Vec<TokenStream> = Vec::new();
    let mut known: Vec<Ident> = Vec::new();
    for column in &columns {
        let mut name = field::constant(column.ident)?;
        if known.contains(&name) {
            // `id_` beside `id`.
            name = Ident::new(&format!("{name}_"), name.span());
        }
        if known.contains(&name) {
            let message = format!(
                "two columns would be {name}: rename a field, and name its column by #[serde(rename)]"
            );
            return Err(Error::new_spanned(column.ident, message));
        }
        constants.push(column.constant(&name));
        known.push(name);
    }
    let fields = columns.iter().map(Column::field);
    let key = columns.iter().filter(|column| column.key).map(|column| &column.name);
    let schema = container.schema.iter().map(|schema| {
        quote! { const SCHEMA: ::core::option::Option<&'static str> = ::core::option::Option::Some(#schema); }
    });
    let references = container.references.iter().map(|other| {
        quote! { impl ::supabase_sdk::rest::References<#other> for #row {} }
    });
    let insert = container.insert.iter().map(|name| insert_shape(name, input, &columns));
    let update = container.update.iter().map(|name| update_shape(name, input, &columns));
    Ok(quote! {
        #[automatically_derived]
        #[allow(dead_code)]
        impl #row { #(#constants)* }

        #[automatically_derived]
        impl ::supabase_sdk::rest::Row for #row {
            const TABLE: &'static str = #table;
            #(#schema)*
            const KEY: &'static [&'static str] = &[#(#key),*];
        }

        #[automatically_derived]
        impl ::supabase_sdk::rest::Projection for #row {
            type Of = Self;
            const FIELDS: &'static [::supabase_sdk::rest::Field] = &[#(#fields),*];
        }

        #(#references)*
        #(#insert)*
        #(#update)*
    })
}

impl Container {
    fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut container = Self::default();
        field::arguments(attributes, "table", |meta| {
            if meta.path.is_ident("name") {
                container.name = Some(field::text(&meta)?);
            } else if meta.path.is_ident("schema") {
                container.schema = Some(field::text(&meta)?);
            } else if meta.path.is_ident("insert") {
                container.insert = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("update") {
                container.update = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("references") {
                meta.parse_nested_meta(|meta| {
                    container.references.push(meta.path);
                    Ok(())
                })?;
            } else {
                return Err(meta.error("a table has: name, schema, references, insert, update"));
            }
            Ok(())
        })?;
        Ok(container)
    }
}

impl<'a> Column<'a> {
    fn read(field: &'a syn::Field, container: &Serde) -> Result<Self> {
        let (mut key, mut default, mut generated) = (false, false, false);
        field::arguments(&field.attrs, "table", |meta| {
            if meta.path.is_ident("key") {
                key = true;
            } else if meta.path.is_ident("default") {
                default = true;
            } else if meta.path.is_ident("generated") {
                generated = true;
            } else {
                return Err(meta.error("a column is: key, default, generated"));
            }
            Ok(())
        })?;
        let serde = Serde::read(&field.attrs)?;
        if serde.flatten || serde.skip {
            return Err(Error::new_spanned(
                field,
                "every field of a row is a column; see Projection for others",
            ));
        }
        let ident = field.ident.as_ref().ok_or_else(|| Error::new_spanned(field, "a column has a name"))?;
        let docs = field.attrs.iter().filter(|it| it.path().is_ident("doc")).collect();
        let by_hand = serde.by_hand;
        let name = serde.name(ident, container);
        Ok(Self { ident, vis: &field.vis, docs, ty: &field.ty, name, key, default, generated, by_hand })
    }

    fn is_required(&self) -> bool {
        !self.default && !self.generated && field::inside("Option", self.ty).is_none()
    }

    fn constant(&self, constant: &Ident) -> TokenStream {
        let Self { vis, docs, name, .. } = self;
        let value = field::value(self.ty);
        let doc = docs.is_empty().then(|| {
            let doc = format!("The column `{name}`.");
            quote! { #[doc = #doc] }
        });
        let never_null = field::inside("Option", self.ty).is_none().then(|| {
            let known = field::never_null(constant);
            quote! { #[doc(hidden)] #vis const #known: () = (); }
        });
        quote! {
            #(#docs)* #doc
            #vis const #constant: ::supabase_sdk::rest::Column<Self, #value> = ::supabase_sdk::rest::Column::new(#name);
            #never_null
        }
    }

    fn field(&self) -> TokenStream {
        let (name, generated) = (&self.name, self.generated);
        quote! {
            ::supabase_sdk::rest::Field::Column { name: #name, column: "", cast: "", generated: #generated }
        }
    }

    /// The field in a shape, which may be unset unless it is required.
    fn in_shape(&self, required: bool) -> TokenStream {
        let Self { ident, vis, docs, ty, name, .. } = self;
        let doc = docs.is_empty().then(|| {
            let doc = format!("The column `{name}`.");
            quote! { #[doc = #doc] }
        });
        if required {
            return quote! { #(#docs)* #doc #[serde(rename = #name)] #vis #ident: #ty };
        }
        quote! {
            #(#docs)* #doc
            #[serde(rename = #name, skip_serializing_if = "::supabase_sdk::rest::Set::is_unset")]
            #vis #ident: ::supabase_sdk::rest::Set<#ty>
        }
    }

    fn setter(&self) -> TokenStream {
        field::setter(self.ident, self.vis, self.ty)
    }
}

/// What is added: the required columns as they are, the others unset until they are set.
fn insert_shape(shape: &Ident, input: &DeriveInput, columns: &[Column<'_>]) -> TokenStream {
    let (row, vis) = (&input.ident, &input.vis);
    let written: Vec<_> = columns.iter().filter(|column| !column.generated).collect();
    let (required, optional): (Vec<_>, Vec<_>) =
        written.iter().copied().partition(|column| column.is_required());
    let fields = written.iter().map(|column| column.in_shape(column.is_required()));
    let setters = optional.iter().map(|column| column.setter());
    let arguments = required.iter().map(|column| {
        let (ident, ty) = (column.ident, column.ty);
        quote! { #ident: impl ::supabase_sdk::rest::Assign<#ty> }
    });
    let given = required.iter().map(|column| {
        let ident = column.ident;
        quote! { #ident: ::supabase_sdk::rest::Assign::assign(#ident) }
    });
    let unset = optional.iter().map(|column| {
        let ident = column.ident;
        quote! { #ident: ::supabase_sdk::rest::Set::Unset }
    });
    let default = required.is_empty().then(|| {
        quote! {
            impl ::core::default::Default for #shape {
                fn default() -> Self { Self::new() }
            }
        }
    });
    let doc = format!("What is added to the table of [`{row}`].");
    quote! {
        #[doc = #doc]
        #[derive(Debug, Clone, ::supabase_sdk::serde::Serialize)]
        #[serde(crate = "::supabase_sdk::serde")]
        #[allow(dead_code)]
        #vis struct #shape { #(#fields),* }

        #[allow(dead_code, clippy::too_many_arguments)]
        impl #shape {
            /// With what the table asks for; the rest is set by methods, or takes its default.
            #vis fn new(#(#arguments),*) -> Self {
                Self { #(#given,)* #(#unset),* }
            }
            #(#setters)*
        }

        #default
        impl ::supabase_sdk::rest::Insertable<#row> for #shape {}
    }
}

/// What is changed: every column may be unset.
fn update_shape(shape: &Ident, input: &DeriveInput, columns: &[Column<'_>]) -> TokenStream {
    let (row, vis) = (&input.ident, &input.vis);
    let written: Vec<_> = columns.iter().filter(|column| !column.generated).collect();
    let fields = written.iter().map(|column| column.in_shape(false));
    let setters = written.iter().map(|column| column.setter());
    let doc = format!("What changes rows of the table of [`{row}`]; what is unset stays as it is.");
    quote! {
        #[doc = #doc]
        #[derive(Debug, Clone, Default, ::supabase_sdk::serde::Serialize)]
        #[serde(crate = "::supabase_sdk::serde")]
        #[allow(dead_code)]
        #vis struct #shape { #(#fields),* }

        #[allow(dead_code)]
        impl #shape { #(#setters)* }

        impl ::supabase_sdk::rest::Changes<#row> for #shape {}
    }
}
