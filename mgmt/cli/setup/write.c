/* SPDX-License-Identifier: Apache-2.0 */
/* The two texts made from the answers, and how they are written to the disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/wire/settings.h"
#include "mgmt/cli/setup/cards.h"
#include "mgmt/cli/setup/setup.h"
#include "mgmt/cli/setup/sides.h"
#include "mgmt/state/read.h"

static void write_list(FILE *to, const char texts[][ADDR_TEXT], size_t n)
{
	fputc('[', to);
	for (size_t i = 0; i < n; i++)
		fprintf(to, "%s\"%s\"", i > 0 ? ", " : "", texts[i]);
	fputc(']', to);
}

/* A side of a split network has no address of its own. */
static void interface(FILE *to, const char *name, const struct setup_interface *x, bool admin, bool side)
{
	fprintf(to, "  %s = { device = \"%s\";", name, x->card->name);
	if (x->vlan != 0)
		fprintf(to, " vlan = %u;", x->vlan);
	if (admin)
		fputs(" role = \"admin\";", to);
	if (!side) {
		fputs(" addresses = ", to);
		write_list(to, x->addresses, x->n_addresses);
		fputc(';', to);
	}
	fputs(" };\n", to);
}

static void ranges(FILE *to, const struct addr_range *r, size_t n)
{
	char text[2 * ADDR_TEXT];

	fputc('[', to);
	for (size_t i = 0; i < n; i++) {
		addr_range_text(&r[i], text, sizeof(text));
		fprintf(to, "%s\"%s\"", i > 0 ? ", " : "", text);
	}
	fputc(']', to);
}

static void between(FILE *to, const struct sides *s)
{
	fputs("between = ( { sides = [\"lan0\", \"lan1\"]; addresses = [", to);
	for (size_t i = 0; i < s->n_networks; i++) {
		const struct side_network *x = &s->networks[i];
		char own[ADDR_TEXT];
		unsigned length = 0;

		addr_text(&x->own, own);
		addr_range_is_prefix(&x->range, &length);
		fprintf(to, "%s\"%s/%u\"", i > 0 ? ", " : "", own, length);
	}
	fputs("]; } );\n", to);
}

/* Routes to the terminals, and for a split network to other networks. */
static void routes(FILE *to, const struct setup *s)
{
	const char *before = "routes = (";

	if (s->terminals[0] != '\0') {
		fprintf(to, "%s { to = \"%s\"; via = \"%s\"; interface = \"adm0\"; }", before, s->terminals, s->via);
		before = ",\n          ";
	}
	for (size_t i = 0; s->between && i < s->sides.n_networks; i++) {
		const struct side_network *x = &s->sides.networks[i];
		char via[ADDR_TEXT];

		if (x->gateway.family == 0)
			continue;
		addr_text(&x->gateway, via);
		fprintf(to, "%s { to = \"%s\"; via = \"%s\"; interface = \"lan%zu\"; }", before,
			x->gateway.family == 4 ? "0.0.0.0/0" : "::/0", via, x->gateway_side);
		before = ",\n          ";
	}
	if (strcmp(before, "routes = (") != 0)
		fputs(" );\n", to);
}

char *setup_box_text(const struct setup *s)
{
	char *text = NULL, name[32];
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	message_print(to, s->c->lang, M_SETUP_BOX_HEAD);
	fputs("language_version = 1;\ninterfaces = {\n", to);
	interface(to, "adm0", &s->admin, true, false);
	for (size_t i = 0; i < s->n_data; i++) {
		snprintf(name, sizeof(name), "lan%zu", i);
		interface(to, name, &s->data[i], false, s->between);
	}
	fputs("};\n", to);
	if (s->between)
		between(to, &s->sides);
	routes(to, s);
	return text_closed(to, &text);
}

static void zone_networks(FILE *to, const struct setup *s, size_t i)
{
	if (!s->between)
		write_list(to, s->data[i].networks, s->data[i].n_addresses);
	else if (s->sides.n_hosts[i] > 0)
		ranges(to, s->sides.hosts[i], s->sides.n_hosts[i]);
	else
		fputs("[\"rest\"]", to);
}

/* Writes a key, if its text was given. */
static void said(FILE *to, const char *key, const char *text)
{
	if (text[0] != '\0')
		fprintf(to, " %s = \"%s\";", key, text);
}

char *setup_policy_text(const struct setup *s)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	message_print(to, s->c->lang, M_SETUP_POLICY_HEAD);
	fputs("language_version = 1;\n", to);
	message_print(to, s->c->lang, M_SETUP_PASSED);
	fprintf(to, "site = { name = \"%s\";", s->site);
	said(to, "label", s->label);
	said(to, "contact", s->contact);
	if (s->responsible[0] != '\0')
		fprintf(to, "\n         record_passed = true; records = { purpose = \"%s\"; responsible = \"%s\"; };",
			s->purpose, s->responsible);
	fputs(" };\nzones = {\n", to);
	for (size_t i = 0; i < s->n_data; i++) {
		fprintf(to, "  %s = { interfaces = [\"lan%zu\"]; networks = ", s->data[i].zone, i);
		zone_networks(to, s, i);
		fprintf(to, "; class = \"%s\";", zone_class_words[s->data[i].class]);
		said(to, "owner", s->data[i].owner);
		said(to, "label", s->data[i].label);
		fputs(" };\n", to);
	}
	fputs("};\n", to);
	fputs("conduits = ();\n", to);
	return text_closed(to, &text);
}

static int one(struct setup *s, int dir, const char *name, const char *text)
{
	struct err e;
	int r = setup_keep(dir, name);

	if (r == 0)
		r = atomic_write_mode(dir, name, text, strlen(text), 0644, &e); /* as installed */
	return r < 0 ? cli_fail_file(s->c, CLI_CANNOT, name, -r) : 0;
}

int setup_write(struct setup *s, const char *folder, const char *box, const char *policy)
{
	int dir, r;

	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		return cli_fail_file(s->c, CLI_CANNOT, folder, errno);
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return cli_fail_file(s->c, CLI_CANNOT, folder, errno);
	r = one(s, dir, "box.cfg", box);
	if (r == 0)
		r = one(s, dir, "site.cfg", policy);
	close(dir);
	return r;
}
