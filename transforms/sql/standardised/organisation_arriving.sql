-- standardised.organisation_arriving: organisations whose source says something it did not say when they were last standardised.
-- grain:  one row per organisation of one source
-- key:    record_key
-- inputs: standardised.organisation_input, previous.organisation_standard
-- why:    all of them where nothing stood before; standardising is the slowest step a record takes
with hashed as (
    select
        arriving.record_key,
        arriving.source,
        arriving.source_id,
        arriving.name,
        arriving.domain,
        arriving.website,
        arriving.phone,
        arriving.email,
        arriving.street,
        arriving.city,
        arriving.state,
        arriving.postcode,
        arriving.country,
        arriving.linkedin_url,
        arriving.industry,
        arriving.employees,
        arriving.external_id,
        arriving.parent_key,
        arriving.source_updated_at,
        md5(concat_ws(
            chr(31),
            coalesce(arriving.record_key, chr(30)),
            coalesce(arriving.source, chr(30)),
            coalesce(arriving.source_id, chr(30)),
            coalesce(arriving.name, chr(30)),
            coalesce(arriving.domain, chr(30)),
            coalesce(arriving.website, chr(30)),
            coalesce(arriving.phone, chr(30)),
            coalesce(arriving.email, chr(30)),
            coalesce(arriving.street, chr(30)),
            coalesce(arriving.city, chr(30)),
            coalesce(arriving.state, chr(30)),
            coalesce(arriving.postcode, chr(30)),
            coalesce(arriving.country, chr(30)),
            coalesce(arriving.linkedin_url, chr(30)),
            coalesce(arriving.industry, chr(30)),
            coalesce(arriving.employees, chr(30)),
            coalesce(arriving.external_id, chr(30)),
            coalesce(arriving.parent_key, chr(30)),
            coalesce(cast(arriving.source_updated_at as varchar), chr(30))
        )) as input_hash
    from standardised.organisation_input as arriving
)

select
    hashed.record_key,
    hashed.source,
    hashed.source_id,
    hashed.name,
    hashed.domain,
    hashed.website,
    hashed.phone,
    hashed.email,
    hashed.street,
    hashed.city,
    hashed.state,
    hashed.postcode,
    hashed.country,
    hashed.linkedin_url,
    hashed.industry,
    hashed.employees,
    hashed.external_id,
    hashed.parent_key,
    hashed.source_updated_at,
    hashed.input_hash
from hashed
left join previous.organisation_standard as former on hashed.record_key = former.record_key
where former.record_key is null or former.input_hash is distinct from hashed.input_hash
