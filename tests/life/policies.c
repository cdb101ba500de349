/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/life/policies.h"

#include <stdio.h>
#include <stdlib.h>

#include "appliance/base/memfd.h"
#include "appliance/base/sha256.h"
#include "tests/unit/policy/policy_text.h"

#define HEAD                                                                                                           \
	"language_version = 1;\n"                                                                                      \
	"site = { name = \"test\"; };\n"                                                                               \
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
	"  read = { protocol = \"modbus\"; ports = [\"tcp/502\"]; allow = ( { commands = [\"read\"]; } ); };\n"        \
	"};\n"
#define CONDUIT(name, service)                                                                                         \
	"{ name = \"" name "\"; from = \"it\"; to = \"ot\"; services = [\"" service "\"]; purpose = \"test\"; "        \
	"owner = \"t\"; review_by = \"2031-01-01\"; }"
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
	[KNOWN_INSPECTED] = { HEAD SERVICES "conduits = ( " CONDUIT("a", "ping") ", " CONDUIT("c", "read") " );\n",
			      BOX BOX_END },
};

struct compiled_policy compiled[POLICIES_KNOWN];

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
	policy_text_end(&t);
}

void policies_make(void)
{
	for (unsigned i = 0; i < POLICIES_KNOWN; i++)
		make((enum known_policy)i);
}

int policy_bundle(enum known_policy p)
{
	const uint8_t name = (uint8_t)p;

	return memfd_sealed("life", &name, 1);
}

const struct compiled_policy *policy_of_bundle(int fd)
{
	const struct compiled_policy *c = NULL;
	uint8_t *name = NULL;
	struct err e;
	size_t n;

	if (memfd_read(fd, 1, &name, &n, &e) == 0 && n == 1 && name[0] < POLICIES_KNOWN)
		c = &compiled[name[0]];
	free(name);
	return c;
}
