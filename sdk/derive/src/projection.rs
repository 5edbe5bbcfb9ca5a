//! `#[derive(Projection)]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned as _;
use syn::{DeriveInput, Error, Ident, Path, Result, Type};

use crate::field::{self, Serde};

/// What a field is said to be.
#[derive(Default)]
struct Said {
    column: Option<String>,
    cast: Option<String>,
    aggregate: Option<String>,
    not_null: bool,
    embed: Option<Relation>,
    spread: Option<Relation>,
}

/// How other rows are reached.
#[derive(Default)]
struct Relation {
    by: Option<String>,
    hint: Option<String>,
    inner: bool,
    back: bool,
    unchecked: bool,
    through: Option<Path>,
}

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let mut of = None;
    field::arguments(&input.attrs, "projection", |meta| {
        if !meta.path.is_ident("of") {
            return Err(meta.error("a projection has: of"));
        }
        of = Some(meta.value()?.parse::<Path>()?);
        Ok(())
    })?;
    let Some(of) = of else {
        return Err(Error::new_spanned(&input.ident, "say of which row: #[projection(of = …)]"));
    };
    let serde = Serde::read(&input.attrs)?;
    let (mut fields, mut constants, mut checks) = (Vec::new(), Vec::new(), Vec::new());
    for field in field::named(input)? {
        if let (Type::Path(inside), _) = embedded(&field.ty)
            && (inside.path.is_ident(&input.ident) || inside.path.is_ident("Self"))
        {
            let message = "a projection cannot hold itself: how deep should it go? Write one for each level";
            return Err(Error::new_spanned(&field.ty, message));
        }
        let part = Part::read(field, &serde, &of)?;
        fields.push(part.field);
        constants.extend(part.constant);
        checks.extend(part.check);
    }
    let name = &input.ident;
    Ok(quote! {
        #[automatically_derived]
        impl ::supabase_sdk::rest::Projection for #name {
            type Of = #of;
            const FIELDS: &'static [::supabase_sdk::rest::Field] = &[#(#fields),*];
        }

        #[automatically_derived]
        #[allow(dead_code)]
        impl #name { #(#constants)* }

        #(#checks)*
    })
}

/// What one field contributes.
struct Part {
    field: TokenStream,
    constant: Option<TokenStream>,
    check: Option<TokenStream>,
}

impl Part {
    fn read(field: &syn::Field, container: &Serde, of: &Path) -> Result<Self> {
        let said = Said::read(field)?;
        let serde = Serde::read(&field.attrs)?;
        let ident = field.ident.as_ref().ok_or_else(|| Error::new_spanned(field, "a field has a name"))?;
        if said.spread.is_some() != serde.flatten {
            let message = "columns of another row are both #[projection(spread)] and #[serde(flatten)]";
            return Err(Error::new_spanned(field, message));
        }
        let name = serde.name(ident, container);
        match said {
            Said { embed: Some(relation), .. } => Self::embed(field, ident, &name, &relation, of),
            Said { spread: Some(relation), .. } => Ok(Self::spread(field, &relation, of)),
            Said { aggregate: Some(function), column, cast, .. } => {
                let (column, cast) = (column.unwrap_or_default(), cast.unwrap_or_default());
                let field = quote! {
                    ::supabase_sdk::rest::Field::Aggregate {
                        name: #name, column: #column, function: #function, cast: #cast
                    }
                };
                Ok(Self { field, constant: None, check: None })
            }
            Said { column, cast, not_null, .. } => Self::column(field, &name, column, cast, not_null, of),
        }
    }

    /// A column: one that is neither cast nor a path into JSON has to be there, with this type, and can be
    /// read without an `Option` only if it is never null.
    fn column(
        field: &syn::Field,
        name: &str,
        column: Option<String>,
        cast: Option<String>,
        not_null: bool,
        of: &Path,
    ) -> Result<Self> {
        let path = column.as_deref().is_some_and(|column| column.contains("->"));
        let constant = match &column {
            Some(column) if !path => Some(field::named_constant(column, field.ident.span())?),
            Some(_) => None,
            None => field.ident.as_ref().map(field::constant).transpose()?,
        };
        let check = constant.filter(|_| cast.is_none()).map(|constant| {
            let value = field::value(&field.ty);
            let never_null = (!not_null && field::inside("Option", &field.ty).is_none()).then(|| {
                let known = field::never_null(&constant);
                quote_spanned! { field.ty.span() => const _: () = #of::#known; }
            });
            quote_spanned! { field.ty.span() =>
                const _: ::supabase_sdk::rest::Column<#of, #value> = #of::#constant;
                #never_null
            }
        });
        let (column, cast) = (column.unwrap_or_default(), cast.unwrap_or_default());
        let field = quote! {
            ::supabase_sdk::rest::Field::Column { name: #name, column: #column, cast: #cast, generated: false }
        };
        Ok(Self { field, constant: None, check })
    }

    fn embed(field: &syn::Field, ident: &Ident, name: &str, relation: &Relation, of: &Path) -> Result<Self> {
        let (inside, many) = embedded(&field.ty);
        let (vis, constant) = (&field.vis, field::constant(ident)?);
        let doc = format!("The embedded `{name}`.");
        let row = quote! { <#inside as ::supabase_sdk::rest::Projection>::Of };
        let (target, hint, inner) = (relation.target(&row), relation.hint(), relation.inner);
        Ok(Self {
            field: quote! {
                ::supabase_sdk::rest::Field::Embed {
                    name: #name,
                    table: #target,
                    hint: #hint,
                    inner: #inner,
                    fields: <#inside as ::supabase_sdk::rest::Projection>::FIELDS,
                }
            },
            constant: Some(quote! {
                #[doc = #doc]
                #vis const #constant: ::supabase_sdk::rest::Embed<#of, #row> = ::supabase_sdk::rest::Embed::new(#name);
            }),
            check: relation.check(field, of, &row, many),
        })
    }

    fn spread(field: &syn::Field, relation: &Relation, of: &Path) -> Self {
        let (inside, many) = embedded(&field.ty);
        let row = quote! { <#inside as ::supabase_sdk::rest::Projection>::Of };
        let (target, hint, inner) = (relation.target(&row), relation.hint(), relation.inner);
        Self {
            field: quote! {
                ::supabase_sdk::rest::Field::Spread {
                    table: #target,
                    hint: #hint,
                    inner: #inner,
                    fields: <#inside as ::supabase_sdk::rest::Projection>::FIELDS,
                }
            },
            constant: None,
            check: relation.check(field, of, &row, many),
        }
    }
}

/// The projection a field embeds, and whether it may be many rows.
fn embedded(ty: &Type) -> (&Type, bool) {
    let ty = field::value(ty);
    if let Some(inside) = field::inside("Vec", ty) {
        return (inside, true);
    }
    (field::inside("Box", ty).unwrap_or(ty), false)
}

impl Relation {
    fn read(meta: &ParseNestedMeta<'_>) -> Result<Self> {
        let mut relation = Self::default();
        if !meta.input.peek(syn::token::Paren) {
            return Ok(relation);
        }
        meta.parse_nested_meta(|meta| {
            if meta.path.is_ident("by") {
                relation.by = Some(field::text(&meta)?);
            } else if meta.path.is_ident("hint") {
                relation.hint = Some(field::text(&meta)?);
            } else if meta.path.is_ident("inner") {
                relation.inner = true;
            } else if meta.path.is_ident("back") {
                relation.back = true;
            } else if meta.path.is_ident("unchecked") {
                relation.unchecked = true;
            } else if meta.path.is_ident("through") {
                relation.through = Some(meta.value()?.parse()?);
            } else {
                return Err(meta.error("an embed has: by, hint, inner, back, through, unchecked"));
            }
            Ok(())
        })?;
        Ok(relation)
    }

    /// What stands for the other table in the query: itself, or the column whose foreign key leads there.
    fn target(&self, other: &TokenStream) -> TokenStream {
        match &self.by {
            Some(column) => quote!(#column),
            None => quote!(<#other as ::supabase_sdk::rest::Row>::TABLE),
        }
    }

    /// What tells several ways to the other table apart: as it is said, or the table in the middle.
    fn hint(&self) -> TokenStream {
        match (&self.hint, &self.through) {
            (Some(hint), _) => quote!(#hint),
            (None, Some(middle)) => quote!(<#middle as ::supabase_sdk::rest::Row>::TABLE),
            (None, None) => quote!(""),
        }
    }

    /// One row is what a foreign key leads to; many rows are those whose foreign keys lead here.
    fn check(&self, field: &syn::Field, of: &Path, other: &TokenStream, many: bool) -> Option<TokenStream> {
        let leads = |from: TokenStream, to: TokenStream| {
            quote_spanned! { field.ty.span() =>
                const _: fn() = || {
                    fn leads<From: ::supabase_sdk::rest::References<To>, To>() {}
                    leads::<#from, #to>();
                };
            }
        };
        match &self.through {
            _ if self.unchecked => None,
            Some(middle) => {
                let (here, there) =
                    (leads(quote!(#middle), quote!(#of)), leads(quote!(#middle), quote!(#other)));
                Some(quote! { #here #there })
            }
            None if many || self.back => Some(leads(quote!(#other), quote!(#of))),
            None => Some(leads(quote!(#of), quote!(#other))),
        }
    }
}

impl Said {
    fn read(field: &syn::Field) -> Result<Self> {
        let mut said = Self::default();
        field::arguments(&field.attrs, "projection", |meta| {
            if meta.path.is_ident("column") {
                said.column = Some(field::text(&meta)?);
            } else if meta.path.is_ident("cast") {
                said.cast = Some(field::text(&meta)?);
            } else if meta.path.is_ident("not_null") {
                said.not_null = true;
            } else if meta.path.is_ident("aggregate") {
                said.aggregate = Some(field::text(&meta)?);
            } else if meta.path.is_ident("embed") {
                said.embed = Some(Relation::read(&meta)?);
            } else if meta.path.is_ident("spread") {
                said.spread = Some(Relation::read(&meta)?);
            } else {
                return Err(meta.error("a field is: column, cast, not_null, embed, spread, aggregate"));
            }
            Ok(())
        })?;
        Ok(said)
    }
}
