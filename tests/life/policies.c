/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/life/policies.h"
#include "policy/ir/seal.h"

#include <stdio.h>
#include <stdlib.h>

#include "appliance/base/bundle.h"
#include "appliance/base/memfd.h"
#include "appliance/base/sha256.h"
#include "tests/unit/policy/policy_text.h"

#define HEAD                                                                                                           \
	"language_version = 1;\n"                                                                                      \
	"site = { name = \"test\"; time_zone = \"Asia/Tokyo\"; };\n"                                                   \
	"zones = {\n"                                                                                                  \
	"  it = { interfaces = [\"lan0\"]; networks = [\"10.71.0.0/24\"]; class = \"it\"; owner = \"t\"; };\n"         \
	"  ot = { interfaces = [\"lan1\"]; networks = [\"10.73.0.0/24\"]; class = \"ot\"; owner = \"t\"; };\n"
#define THIRD                                                                                                          \
	"  ops = { interfaces = [\"lan2\"]; networks = [\"10.72.0.0/24\"]; class = \"operations\"; owner = \"t\"; "    \
	"};\n"
#define SERVICES                                                                                                       \
	"};\n"                                                                                                         \
	"services = {\n"                                                                                               \
	"  ping = { protocol = \"icmp\"; ports = [\"icmp/8\"]; };\n"                                                   \
	"  plain = { protocol = \"udp\"; ports = [\"udp/9000\"]; };\n"                                                 \
	"  two = { protocol = \"udp\"; ports = [\"udp/9001\"]; };\n"                                                   \
	"  glass = { protocol = \"udp\"; ports = [\"udp/9002\"]; };\n"                                                 \
	"  read = { protocol = \"modbus\"; ports = [\"tcp/502\"]; allow = ( { commands = [\"read\"]; } ); };\n"        \
	"};\n"
#define CONDUIT_THAT(name, service, more)                                                                              \
	"{ name = \"" name "\"; from = \"it\"; to = \"ot\"; services = [\"" service "\"]; purpose = \"test\"; "        \
	"owner = \"t\"; review_by = \"2031-01-01\"; " more "}"
#define CONDUIT(name, service) CONDUIT_THAT(name, service, "")
#define UNTIL CONDUIT_THAT("e", "plain", "until = \"2026-12-01T00:00:00Z\"; ")
#define SOON CONDUIT_THAT("b", "plain", "until = \"2026-11-18T11:07:00Z\"; ")
#define STARTS CONDUIT_THAT("s", "plain", "starts = \"2026-11-18T12:00:00Z\"; ")
#define WITHIN CONDUIT_THAT("w", "plain", "within = \"evening\"; ")
#define DOOR(name) CONDUIT_THAT(name, name, "door = \"" name "\"; ")
#define BOX                                                                                                            \
	"language_version = 1;\n"                                                                                      \
	"interfaces = {\n"                                                                                             \
	"  lan0 = { device = \"eth0\"; addresses = [\"10.71.0.1/24\"]; };\n"                                           \
	"  lan1 = { device = \"eth1\"; addresses = [\"10.73.0.1/24\"]; };\n"
#define BOX_THIRD "  lan2 = { device = \"eth2\"; addresses = [\"10.72.0.1/24\"]; };\n"
#define BOX_END "  adm0 = { device = \"eth9\"; role = \"admin\"; addresses = [\"10.79.0.1/24\"]; };\n};\n"

static const char *const texts[POLICIES_KNOWN][2] = {
	[KNOWN_PLAIN] = { HEAD SERVICES "conduits = ( " CONDUIT("a", "ping") " );\n", BOX BOX_END },
	[KNOWN_WIDER] = { HEAD THIRD SERVICES "conduits = ( " CONDUIT("a", "ping") ", " CONDUIT("b", "plain") " );\n",
			  BOX BOX_THIRD BOX_END },
	[KNOWN_PREPARED] = { HEAD SERVICES
			     "doors = { gate = { at_most = \"10 min\"; opened_by = [\"supervisor\"]; }; };\n"
			     "isolations = { ot = { cut = [\"zone ot\"]; keep = [\"a\"]; }; };\n"
			     "conduits = ( " CONDUIT(
				     "a", "ping") ", { name = \"d\"; from = \"it\"; to = \"ot\"; door = \"gate\"; "
						  "services = [\"plain\"]; purpose = \"test\"; owner = \"t\"; "
						  "review_by = \"2031-01-01\"; } );\n",
			     BOX BOX_END },
	/* a life begins on 18 November 2026, at 20:06:40 in Tokyo, a Wednesday */
	[KNOWN_TIMED] = { HEAD SERVICES
			  "doors = { two = { at_most = \"10 min\"; opened_by = [\"supervisor\"]; second_person = true; "
			  "};\n"
			  "  glass = { at_most = \"10 min\"; opened_by = [\"supervisor\"]; needs = [\"reason\"]; "
			  "break_glass = true; "
			  "}; };\n"
			  "windows = { evening = { days = [\"wed\"]; hours = \"20:10-20:20\"; }; };\n"
			  "conduits = ( " CONDUIT("a", "ping") ", " UNTIL ", " WITHIN ", " STARTS
							       ", " DOOR("two") ", " DOOR("glass") " );\n",
			  BOX BOX_END "ups = { address = \"10.79.0.7\"; name = \"hall\"; user = \"a\"; on_low = "
				      "\"power_off\"; };\ntime = [\"10.79.0.5\"];\n" },
	[KNOWN_ENDING] = { HEAD SERVICES "conduits = ( " CONDUIT("a", "ping") ", " SOON ", " STARTS " );\n",
			   BOX BOX_END },
	[KNOWN_PROVEN] = { HEAD SERVICES "conduits = ( " CONDUIT("a", "ping") ", " CONDUIT(
				   "b", "plain") " );\n"
						 "confirm_needs = [\"a\", \"b\"];\n",
			   BOX BOX_END },
	[KNOWN_INSPECTED] = { HEAD SERVICES "conduits = ( " CONDUIT("a", "ping") ", " CONDUIT("c", "read") " );\n",
			      BOX BOX_END },
};

struct compiled_policy compiled[POLICIES_KNOWN] = {
	[KNOWN_PLAIN] = { .name = "plain" },	   [KNOWN_WIDER] = { .name = "wider" },
	[KNOWN_PREPARED] = { .name = "prepared" }, [KNOWN_TIMED] = { .name = "timed" },
	[KNOWN_ENDING] = { .name = "ending" },	   [KNOWN_INSPECTED] = { .name = "inspected" },
	[KNOWN_PROVEN] = { .name = "proven" },
};

const char *policy_text_of(enum known_policy p, bool box)
{
	return texts[p][box];
}

static void note_openings(struct compiled_policy *c, const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->n_cells && c->n_openings < OPENINGS_MOST; i++) {
		const struct ir_cell *cell = &ir->cells[i];
		struct opening *o = &c->openings[c->n_openings];

		if (cell->src.lo.family != 4)
			continue;
		*o = (struct opening){ .l4proto = cell->l4proto, .until = ir->permits[cell->permit].until };
		(void)snprintf(o->in, sizeof(o->in), "%s", ir->interfaces[cell->iif].device);
		(void)snprintf(o->out, sizeof(o->out), "%s", ir->interfaces[cell->oif].device);
		c->n_openings++;
	}
}

static void make(enum known_policy which)
{
	const struct memory_text both[] = { { "policy.cfg", texts[which][0] }, { "box.cfg", texts[which][1] } };
	struct compiled_policy *c = &compiled[which];
	struct policy_text t;
	struct err e;

	policy_text_begin(&t, both, 2);
	if (!policy_check(&t.c, &t.loader, "policy.cfg") || !policy_lower(&t.c) ||
	    ir_seal(t.c.ir, &c->sealed, &c->n_sealed, &e) < 0 ||
	    ir_unseal(bytes_of(c->sealed, c->n_sealed), t.c.arena, t.c.ir, &e) < 0) {
		const struct diag *d = policy_text_diag(&t, 0);

		fprintf(stderr, "policy %d does not compile: %s\n", (int)which, d != NULL ? d->text[LANG_EN] : "?");
		exit(1);
	}
	sha256(c->sealed, c->n_sealed, c->digest);
	memcpy(c->generation, t.c.ir->digest, sizeof(c->generation));
	note_openings(c, t.c.ir);
	policy_text_end(&t);
}

void policies_make(void)
{
	for (unsigned i = 0; i < POLICIES_KNOWN; i++)
		make((enum known_policy)i);
}

int policy_bundle(enum known_policy p)
{
	const char text[] = { (char)('0' + (int)p), '\0' };
	const struct source_text one = { .name = "policy.cfg", .text = text, .size = 1 };
	uint8_t all[128];
	size_t n = bundle_encode(&one, 1, all, sizeof(all));

	return memfd_sealed("life", all, n);
}

const struct compiled_policy *policy_of_bundle(int fd)
{
	struct bytes b, name, text;
	uint8_t *all = NULL, which = 0;
	uint32_t count = 0;
	struct err e;
	size_t n;
	bool read = memfd_read(fd, 128, &all, &n, &e) == 0;

	b = bytes_of(all, read ? n : 0);
	read = read && bundle_head(&b, &count) && bundle_next(&b, &name, &text) && bytes_u8(&text, &which);
	free(all);
	return read && which >= '0' && which < '0' + POLICIES_KNOWN ? &compiled[which - '0'] : NULL;
}
