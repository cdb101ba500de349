/* SPDX-License-Identifier: Apache-2.0 */
/* The two texts that follow from the answers, and how they come to the disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/wire/settings.h"
#include "mgmt/cli/setup/setup.h"

static void list(FILE *to, const char texts[][ADDR_TEXT], size_t n)
{
	fputc('[', to);
	for (size_t i = 0; i < n; i++)
		fprintf(to, "%s\"%s\"", i > 0 ? ", " : "", texts[i]);
	fputc(']', to);
}

static void interface(FILE *to, const char *name, const struct setup_interface *x, bool admin)
{
	fprintf(to, "  %s = { device = \"%s\";", name, x->card->name);
	if (x->vlan != 0)
		fprintf(to, " vlan = %u;", x->vlan);
	fprintf(to, "%s addresses = ", admin ? " role = \"admin\";" : "");
	list(to, x->addresses, x->n_addresses);
	fputs("; };\n", to);
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
	interface(to, "adm0", &s->admin, true);
	for (size_t i = 0; i < s->n_data; i++) {
		snprintf(name, sizeof(name), "lan%zu", i);
		interface(to, name, &s->data[i], false);
	}
	fputs("};\n", to);
	if (s->terminals[0] != '\0')
		fprintf(to, "routes = ( { to = \"%s\"; via = \"%s\"; interface = \"adm0\"; } );\n", s->terminals,
			s->via);
	if (fclose(to) == 0)
		return text;
	free(text);
	return NULL;
}

char *setup_policy_text(const struct setup *s)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	message_print(to, s->c->lang, M_SETUP_POLICY_HEAD);
	fprintf(to, "language_version = 1;\nsite = { name = \"%s\";", s->site);
	if (s->label[0] != '\0')
		fprintf(to, " label = \"%s\";", s->label);
	fputs(" };\nzones = {\n", to);
	for (size_t i = 0; i < s->n_data; i++) {
		fprintf(to, "  %s = { interfaces = [\"lan%zu\"]; networks = ", s->data[i].zone, i);
		list(to, s->data[i].networks, s->data[i].n_addresses);
		fprintf(to, "; class = \"%s\"; };\n", zone_class_words[s->data[i].class]);
	}
	fputs("};\nconduits = ();\n", to);
	if (fclose(to) == 0)
		return text;
	free(text);
	return NULL;
}

/* What lay there stays beside it. */
static int one(struct setup *s, int dir, const char *name, const char *text)
{
	char before[32];
	struct err e;
	int r;

	snprintf(before, sizeof(before), "%.20s.before", name);
	if (renameat(dir, name, dir, before) < 0 && errno != ENOENT)
		return cli_fail_file(s->c, CLI_CANNOT, name, errno);
	r = atomic_write(dir, name, text, strlen(text), &e);
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
