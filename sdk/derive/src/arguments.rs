//! `#[derive(Arguments)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Result};

use crate::field;

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let (name, vis) = (&input.ident, &input.vis);
    let fields: Vec<_> = field::named(input)?.collect();
    let (optional, required): (Vec<_>, Vec<_>) =
        fields.into_iter().partition(|field| field::inside("Set", &field.ty).is_some());
    let arguments = required.iter().map(|field| {
        let (ident, ty) = (&field.ident, &field.ty);
        quote! { #ident: impl ::supabase_sdk::rest::Assign<#ty> }
    });
    let given: Vec<_> = required.iter().map(|field| &field.ident).collect();
    let unset = optional.iter().map(|field| &field.ident);
    let setters = optional.iter().filter_map(|field| {
        let (ident, vis) = (&field.ident, &field.vis);
        Some(field::setter(ident.as_ref()?, vis, field::inside("Set", &field.ty)?))
    });
    Ok(quote! {
        #[automatically_derived]
        #[allow(dead_code, clippy::too_many_arguments)]
        impl #name {
            /// With the arguments that have no default.
            #vis fn new(#(#arguments),*) -> Self {
                Self {
                    #(#given: ::supabase_sdk::rest::Assign::assign(#given),)*
                    #(#unset: ::supabase_sdk::rest::Set::Unset),*
                }
            }
            #(#setters)*
        }
    })
}
