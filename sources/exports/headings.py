"""The column headings of the three vendors' downloads, as their web pages write them.

Belongs here: which headings a file must, may and must not have, older spellings, which column is the vendor's id.
Does not: reading files (`reading.py`), what a column means (`transforms/sql/standardised/exports_*.sql`).
Surprise: a heading we do not know is kept under its own name. Known ones get one spelling, whatever the file's case, so
that the mapping can rely on it; blanks, case, underscores and hyphens do not tell two headings apart.

Sources: Apollo and ZoomInfo headings as seen in many public importers of such files (2023-2026). UpLead's are inferred
from the fields of its API and its help pages, so every likely spelling is listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Vendor:
    """One vendor's file.

    `id` is the column of the person's id. Of each group in `required` one column must be there. `marks` are headings
    that no other vendor has: they tell a file that lies in the wrong folder. `evidence` identifies a row without an id;
    the first group that is filled wins. `aliases` are older spellings.
    """

    name: str
    id: str
    columns: tuple[str, ...]
    required: Groups
    marks: tuple[str, ...]
    evidence: Groups
    aliases: Mapping[str, str]

    def spellings(self, headings: Sequence[str]) -> list[str]:
        """Each heading in our spelling; an unknown one is trimmed, a blank one named by its place.

        An alias stands back where the file has the column under its own name, or under an earlier alias.
        """
        columns = {heading_key(column): column for column in self.columns}
        aliases = {heading_key(alias): column for alias, column in self.aliases.items()}
        taken = {columns[heading_key(heading)] for heading in headings if heading_key(heading) in columns}
        spelt: list[str] = []
        for number, heading in enumerate(headings, start=1):
            name = columns.get(heading_key(heading))
            alias = aliases.get(heading_key(heading))
            if name is None and alias is not None and alias not in taken:
                taken.add(alias)
                name = alias
            spelt.append(name or heading.strip() or f"column {number}")
        return spelt


def heading_key(heading: str) -> str:
    """What all spellings of a heading share: `First Name`, `first_name` and `firstName` are one. `#` counts: Apollo has
    `# Employees`."""
    return "".join(char for char in heading.casefold() if char.isalnum() or char == "#")


def folded(text: str) -> str:
    """Lower case, one space between words."""
    return " ".join(text.split()).casefold()


APOLLO = Vendor(
    name="apollo",
    id="Apollo Contact Id",
    columns=(
        *("First Name", "Last Name", "Title", "Company", "Company Name for Emails", "Email", "Email Status"),
        *("Primary Email Source", "Primary Email Verification Source", "Email Confidence"),
        *("Primary Email Catch-all Status", "Primary Email Last Verified At", "Seniority", "Departments"),
        *("Sub Departments", "Contact Owner", "First Phone", "Work Direct Phone", "Home Phone", "Mobile Phone"),
        *("Corporate Phone", "Other Phone", "Do Not Call", "Stage", "Lists", "Last Contacted", "Account Owner"),
        *("# Employees", "Industry", "Keywords", "Person Linkedin Url", "Website", "Company Linkedin Url"),
        *("Facebook Url", "Twitter Url", "City", "State", "Country", "Company Address", "Company City"),
        *("Company State", "Company Country", "Company Phone", "Technologies", "Annual Revenue", "Total Funding"),
        *("Latest Funding", "Latest Funding Amount", "Last Raised At", "Subsidiary of", "Email Sent", "Email Open"),
        *("Email Bounced", "Replied", "Demoed", "Number of Retail Locations", "Apollo Contact Id"),
        *("Apollo Account Id", "Apollo Record Id", "Secondary Email", "Secondary Email Source"),
        *("Secondary Email Status", "Tertiary Email", "Tertiary Email Source", "Primary Intent Topic"),
        *("Primary Intent Score", "Secondary Intent Topic", "Secondary Intent Score"),
    ),
    required=(
        ("First Name",),
        ("Last Name",),
        ("Email", "Person Linkedin Url", "Apollo Contact Id"),
        ("Company", "Company Name for Emails", "Website"),
    ),
    marks=("Person Linkedin Url", "Work Direct Phone", "Apollo Contact Id", "Company Name for Emails", "# Employees"),
    evidence=(("Email",), ("Person Linkedin Url",), ("First Name", "Last Name", "Company")),
    aliases={
        "Company Name": "Company",
        "Apollo Contact ID": "Apollo Contact Id",
        "Person LinkedIn URL": "Person Linkedin Url",
        "#Employees": "# Employees",
        "Direct Phone": "Work Direct Phone",
    },
)
ZOOMINFO = Vendor(
    name="zoominfo",
    id="ZoomInfo Contact ID",
    columns=(
        *("ZoomInfo Contact ID", "Last Name", "First Name", "Middle Name", "Salutation", "Suffix", "Job Title"),
        *("Job Title Hierarchy Level", "Management Level", "Job Start Date", "Job Function", "Department"),
        *("Company Division Name", "Direct Phone Number", "Email Address", "Email Domain", "Mobile phone"),
        *("Last Job Change Type", "Last Job Change Date", "Previous Job Title", "Previous Company Name"),
        *("Previous Company ZoomInfo Company ID", "Previous Company LinkedIn Profile", "Highest Level of Education"),
        *("Contact Accuracy Score", "Contact Accuracy Grade", "ZoomInfo Contact Profile URL"),
        *("LinkedIn Contact Profile URL", "Notice Provided Date", "Person Street", "Person City", "Person State"),
        *("Person Zip Code", "Country", "ZoomInfo Company ID", "Company Name", "Company Description", "Website"),
        *("Founded Year", "Company HQ Phone", "Fax", "Ticker", "Revenue (in 000s USD)", "Revenue Range (in USD)"),
        *("Employees", "Employee Range", "SIC Code 1", "SIC Codes", "NAICS Code 1", "NAICS Codes"),
        *("Primary Industry", "Primary Sub-Industry", "All Industries", "All Sub-Industries"),
        *("Industry Hierarchical Category", "ZoomInfo Company Profile URL", "LinkedIn Company Profile URL"),
        *("Facebook Company Profile URL", "Twitter Company Profile URL", "Ownership Type", "Business Model"),
        *("Certified Active Company", "Certification Date", "Total Funding Amount (in 000s USD)"),
        *("Recent Funding Amount (in 000s USD)", "Recent Funding Round", "Recent Funding Date"),
        *("Company Street Address", "Company City", "Company State", "Company Zip Code", "Company Country"),
        *("Full Address", "Number of Locations"),
    ),
    required=(
        ("First Name",),
        ("Last Name",),
        ("Email Address", "ZoomInfo Contact ID", "LinkedIn Contact Profile URL"),
        ("Company Name", "Website"),
    ),
    marks=("ZoomInfo Contact ID", "ZoomInfo Company ID", "Direct Phone Number", "Contact Accuracy Score"),
    evidence=(("Email Address",), ("LinkedIn Contact Profile URL",), ("First Name", "Last Name", "Company Name")),
    aliases={"Email": "Email Address", "Mobile Phone Number": "Mobile phone", "Company": "Company Name"},
)
UPLEAD = Vendor(
    name="uplead",
    id="Contact ID",
    columns=(
        *("Contact ID", "First Name", "Last Name", "Title", "Job Function", "Job Sub Function", "Management Level"),
        *("Gender", "Email", "Email Status", "Phone Number", "Mobile Direct Dial", "LinkedIn URL", "City", "State"),
        *("County", "Country", "Company", "Company ID", "Domain", "Industry", "Company Phone", "Fax"),
        *("Company Address", "Company City", "Company State", "Company Zip", "Company County", "Company Country"),
        *("Employees", "Revenue", "SIC Code", "SIC Description", "NAICS Code", "NAICS Description"),
        *("Year Founded", "Description", "Company LinkedIn URL", "Twitter URL", "Facebook URL", "Type", "Ticker"),
    ),
    required=(("First Name",), ("Last Name",), ("Email", "LinkedIn URL", "Contact ID"), ("Company", "Domain")),
    marks=("Mobile Direct Dial", "Job Sub Function", "Year Founded", "NAICS Description"),
    evidence=(("Email",), ("LinkedIn URL",), ("First Name", "Last Name", "Company")),
    aliases={
        "ID": "Contact ID",
        "UpLead Contact ID": "Contact ID",
        "Job Title": "Title",
        "Email Address": "Email",
        "Phone": "Phone Number",
        "Direct Phone": "Phone Number",
        "Mobile Phone": "Mobile Direct Dial",
        "Mobile": "Mobile Direct Dial",
        "LinkedIn": "LinkedIn URL",
        "Contact LinkedIn URL": "LinkedIn URL",
        "Company Name": "Company",
        "Company Domain": "Domain",
        "Website": "Domain",
        "Company Website": "Domain",
        "Company Phone Number": "Company Phone",
        "Zip": "Company Zip",
        "Company Zip Code": "Company Zip",
        "Address": "Company Address",
        "Founded": "Year Founded",
        "Company LinkedIn": "Company LinkedIn URL",
    },
)
VENDORS = {vendor.name: vendor for vendor in (APOLLO, ZOOMINFO, UPLEAD)}
