-- quality.privacy: R14, golden contacts by region of law, with what is owed to them.
-- grain:  one row per region
-- key:    region
-- inputs: golden.contact
-- why:    without a notice date in the EU the notice is due; a number without a word on do-not-call may not be dialled
--         blindly
select
    coalesce(region, 'other') as region,
    cast(count(*) as bigint) as contacts,
    cast(count(*) filter (where region = 'eu' and notice_date is null) as bigint) as notice_due,
    cast(count(*) filter (where coalesce(phone, mobile) is not null) as bigint) as with_number,
    cast(count(*) filter (where phone is not null and phone_do_not_call is null or mobile is not null and mobile_do_not_call is null) as bigint) as do_not_call_unknown,
    cast(count(*) filter (where phone_do_not_call or mobile_do_not_call) as bigint) as do_not_call
from golden.contact
group by coalesce(region, 'other')
