"""Makes the MMDB files of this folder: `pip install mmdb_writer`, then run it here.

The networks are random and belong to nobody's data: the countries and systems are made up.
"""
import csv
import ipaddress
import random

from mmdb_writer import MMDBWriter
from netaddr import IPSet

random.seed(2026)
countries = ["JP", "DE", "US", "BR", "TH", "FR"]
rows = {}
while len(rows) < 240:
    if random.random() < 0.6:
        network = ipaddress.ip_network(
            (random.choice([0x0A000000, 0xC0000000]) | random.getrandbits(20) << 4,
             random.randint(9, 30)), strict=False)
    else:
        network = ipaddress.ip_network(
            (0x20010DB8 << 96 | random.getrandbits(24) << 72, random.randint(33, 64)), strict=False)
    asn = random.randint(64496, 64511) if random.random() < 0.9 else 4200000000 + len(rows)
    rows[network] = (random.choice(countries), asn, f"Example {asn} Łódź")

layouts = {
    "country": ("GeoLite2-Country", lambda c, a, n: {
        "country": {"iso_code": c, "names": {"en": c}},
        "registered_country": {"iso_code": "SE"}}),
    "city": ("GeoLite2-City", lambda c, a, n: {
        "city": {"names": {"en": "Town"}}, "country": {"iso_code": c},
        "location": {"latitude": 35.5, "longitude": 139.5}}),
    "registered": ("GeoIP2-Country", lambda c, a, n: {"registered_country": {"iso_code": c}}),
    "asn": ("GeoLite2-ASN", lambda c, a, n: {
        "autonomous_system_number": a, "autonomous_system_organization": n}),
    "ipinfo-lite": ("ipinfo bundle_location_lite.mmdb", lambda c, a, n: {
        "country": "Some country", "country_code": c, "asn": f"AS{a}", "as_name": n}),
    "ipinfo-country-asn": ("ipinfo generic_country_asn.mmdb", lambda c, a, n: {
        "country": c, "country_name": "Some country", "asn": f"AS{a}", "as_name": n}),
}
ordered = sorted(rows, key=lambda n: (n.prefixlen + (96 if n.version == 4 else 0), str(n)))
for name, (kind, record) in layouts.items():
    writer = MMDBWriter(6, kind, ipv4_compatible=True, int_type="u32")
    for network in ordered:
        writer.insert_network(IPSet([str(network)]), record(*rows[network]))
    writer.to_db_file(f"{name}.mmdb")
writer = MMDBWriter(4, "GeoLite2-ASN", int_type="u32")
for network in ordered:
    if network.version == 4:
        writer.insert_network(IPSet([str(network)]), layouts["asn"][1](*rows[network]))
writer.to_db_file("asn-ipv4.mmdb")
with open("networks.csv", "w", encoding="utf-8") as file:
    for network in ordered:
        csv.writer(file, lineterminator="\n").writerow([network, *rows[network]])
