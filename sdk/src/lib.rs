//! A typed client for Supabase.
