-- Something to look at on a fresh local stack: one person who can sign in
-- (owner@garage.test, password "garage-seed"), one customer and one vehicle.
-- Repeating it changes nothing.
insert into auth.users (
    instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data, raw_user_meta_data,
    created_at, updated_at, confirmation_token, recovery_token, email_change, email_change_token_new
) values (
    '00000000-0000-0000-0000-000000000000', '5eed0000-0000-4000-8000-000000000001', 'authenticated', 'authenticated',
    'owner@garage.test', extensions.crypt('garage-seed', extensions.gen_salt('bf')), now(),
    '{"provider": "email", "providers": ["email"]}', '{}', now(), now(), '', '', '', ''
) on conflict (id) do nothing;

insert into auth.identities (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
values (
    '5eed0000-0000-4000-8000-000000000001', '5eed0000-0000-4000-8000-000000000001',
    '{"sub": "5eed0000-0000-4000-8000-000000000001", "email": "owner@garage.test", "email_verified": true}',
    'email', now(), now(), now()
) on conflict do nothing;

insert into public.customers (id, owner_id, first_name, last_name, phone) values
('5eed0000-0000-4000-8000-000000000002', '5eed0000-0000-4000-8000-000000000001', 'Zoé', 'Lefèvre', '06 12 34 56 78')
on conflict (id) do nothing;

insert into public.vehicles (id, owner_id, customer_id, brand, model, license_plate) values
('5eed0000-0000-4000-8000-000000000003', '5eed0000-0000-4000-8000-000000000001',
    '5eed0000-0000-4000-8000-000000000002', 'Renault', 'Clio', 'AB-123-CD')
on conflict (id) do nothing;
