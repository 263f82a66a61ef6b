-- quality.duplicate: R4, golden records that share what should tell them apart, and sources that hold one entity twice.
-- grain:  one row per golden record beyond the first of its group, or source record beyond the first of its source
-- key:    entity, kind, subject
-- inputs: golden.contact, golden.organisation, golden.crosswalk, standardised.contact, standardised.organisation, quality.reference
-- why:    exact duplicates are left where the evidence against was stronger (relatives with one mailbox); a rise means
--         that matching lost a rule
with mailbox as (
    select golden_id, email from golden.contact
    where email is not null
      and split_part(email, '@', 1) not in (select value from quality.reference where kind = 'role mailbox')
),

shared as (
    select 'contact' as entity, 'same_email' as kind, golden_id, row_number() over (partition by email order by golden_id) as place from mailbox
    union all
    select 'contact' as entity, 'same_linkedin' as kind, golden_id, row_number() over (partition by linkedin_url order by golden_id) as place
    from golden.contact
    where linkedin_url is not null
    union all
    select 'contact' as entity, 'same_name_and_organisation' as kind, golden_id, row_number() over (partition by lower(first_name), lower(last_name), organisation_golden_id order by golden_id) as place
    from golden.contact
    where first_name is not null and last_name is not null and organisation_golden_id is not null
    union all
    select 'organisation' as entity, 'same_domain' as kind, golden_id, row_number() over (partition by domain order by golden_id) as place
    from golden.organisation
    where domain is not null
    union all
    select 'organisation' as entity, 'same_linkedin' as kind, golden_id, row_number() over (partition by linkedin_url order by golden_id) as place
    from golden.organisation
    where linkedin_url is not null
),

held as (
    select crosswalk.entity, contact.source, contact.record_key, crosswalk.golden_id
    from golden.crosswalk as crosswalk
    inner join standardised.contact as contact on crosswalk.record_key = contact.record_key
    where crosswalk.entity = 'contact'
    union all
    select crosswalk.entity, organisation.source, organisation.record_key, crosswalk.golden_id
    from golden.crosswalk as crosswalk
    inner join standardised.organisation as organisation on crosswalk.record_key = organisation.record_key
    where crosswalk.entity = 'organisation'
),

twice as (
    select entity, source, record_key, row_number() over (partition by entity, source, golden_id order by record_key) as place from held
)

select entity, kind, '' as source, golden_id as subject from shared where place > 1
union all
select entity, 'twice_in_source' as kind, source, record_key as subject from twice where place > 1
