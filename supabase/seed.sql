-- Something to look at on a fresh local stack: two people who can sign in (owner@garage.test and
-- editor@garage.test, password "garage-seed"), who share a garage, and a row or two of each
-- application. Repeating it changes nothing.
insert into auth.users (
    instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data, raw_user_meta_data,
    created_at, updated_at, confirmation_token, recovery_token, email_change, email_change_token_new
)
select
    '00000000-0000-0000-0000-000000000000', person.id::uuid, 'authenticated', 'authenticated',
    person.email, extensions.crypt('garage-seed', extensions.gen_salt('bf')), now(),
    '{"provider": "email", "providers": ["email"]}', jsonb_build_object('name', person.name),
    now(), now(), '', '', '', ''
from (values
    ('5eed0000-0000-4000-8000-000000000001', 'owner@garage.test', 'Zoé'),
    ('5eed0000-0000-4000-8000-00000000000e', 'editor@garage.test', 'Sam')
) as person (id, email, name)
on conflict (id) do nothing;

insert into auth.identities (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
select
    id::text, id, jsonb_build_object('sub', id, 'email', email, 'email_verified', true), 'email', now(), now(), now()
from auth.users where id in ('5eed0000-0000-4000-8000-000000000001', '5eed0000-0000-4000-8000-00000000000e')
on conflict do nothing;

insert into public.members (workspace_id, user_id, role, name)
select id, '5eed0000-0000-4000-8000-00000000000e', 'editor', 'Sam'
from public.workspaces where home_of = '5eed0000-0000-4000-8000-000000000001' and kind = 'garage'
on conflict do nothing;

-- A row that says nothing of a workspace goes to its owner's.
insert into public.customers (id, owner_id, first_name, last_name, phone) values
('5eed0000-0000-4000-8000-000000000002', '5eed0000-0000-4000-8000-000000000001', 'Zoé', 'Lefèvre', '06 12 34 56 78')
on conflict (id) do nothing;

insert into public.vehicles (id, owner_id, customer_id, brand, model, license_plate) values
('5eed0000-0000-4000-8000-000000000003', '5eed0000-0000-4000-8000-000000000001',
    '5eed0000-0000-4000-8000-000000000002', 'Renault', 'Clio', 'AB-123-CD')
on conflict (id) do nothing;

insert into public.resources (id, owner_id, name) values
('5eed0000-0000-4000-8000-000000000004', '5eed0000-0000-4000-8000-000000000001', 'Desk by the window')
on conflict (id) do nothing;

insert into public.bookings (id, owner_id, resource_id, starts_at, ends_at, guest_name) values
('5eed0000-0000-4000-8000-000000000005', '5eed0000-0000-4000-8000-000000000001',
    '5eed0000-0000-4000-8000-000000000004', '2027-01-04 08:00Z', '2027-01-04 17:00Z', 'Sam')
on conflict (id) do nothing;

insert into public.products (id, owner_id, name, unit, threshold) values
('5eed0000-0000-4000-8000-000000000006', '5eed0000-0000-4000-8000-000000000001', 'Sterile gauze', 'box', 10)
on conflict (id) do nothing;

insert into public.inventory_counts (id, owner_id, product_id, counted) values
('5eed0000-0000-4000-8000-000000000007', '5eed0000-0000-4000-8000-000000000001',
    '5eed0000-0000-4000-8000-000000000006', 24)
on conflict (id) do nothing;

insert into public.ratings (id, user_id, content_id, content_type, rating, review) values
('5eed0000-0000-4000-8000-000000000008', '5eed0000-0000-4000-8000-000000000001', '36', 'movie', 5, 'Again!')
on conflict (id) do nothing;
