/* SPDX-License-Identifier: Apache-2.0 */
/* The front half of the compiler: texts -> AST -> checked model. */
#include <errno.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "policy/check/check.h"
#include "policy/check/keys.h"
#include "policy/check/ledger.h"
#include "policy/check/model.h"
#include "policy/check/network.h"
#include "policy/check/say.h"
#include "policy/check/windows.h"
#include "policy/check/written.h"
#include "policy/read/csv.h"
#include "policy/read/read.h"

#define BOX_NAME "box.cfg"

/* Reads box.cfg if there is one and it has no errors. */
static void read_box(struct compilation *c, const struct policy_loader *l, const char *main_name,
		     const struct ast_node **ret)
{
	uint32_t file;

	*ret = NULL;
	if (strcmp(main_name, BOX_NAME) != 0 && scan_load(c, l, BOX_NAME, &file) != -ENOENT)
		*ret = parse_policy(c, l, BOX_NAME);
}

#define CELLS_NAMED 200u /* errors whose cell is named, at most; fewer are shown */

/* Names the cell of an error in a spreadsheet's table as spreadsheets do: "C12". */
static void name_cells(struct compilation *c)
{
	size_t n = c->diags.n < CELLS_NAMED ? c->diags.n : CELLS_NAMED;

	for (size_t i = 0; i < n; i++) {
		struct diag *g = c->diags.list[i];
		char cell[CSV_CELL_TEXT], front[2 * CSV_CELL_TEXT + 16];

		if (g->at.line == 0 || g->at.file >= c->n_sources || !csv_is_table(c->sources[g->at.file].name))
			continue;
		csv_cell_text(&c->sources[g->at.file], g->at, cell);
		for (unsigned l = 0; l < 2; l++) {
			const char *text;

			message_text(front, sizeof(front), (enum lang)l, MP_CELL, cell);
			text = arena_printf(c->arena, "%s%s", front, g->text[l]);
			g->text[l] = text != NULL ? text : g->text[l];
		}
	}
}

static void check_all(struct check *k, const struct ast_node *root, const struct ast_node *box)
{
	const struct ast_node *v[KEYS(policy_keys)];
	struct object o = { MP_OBJ_POLICY, "" };

	keys_read(k, root, policy_keys, KEYS(policy_keys), o, k->m, v);
	if (v[P_VERSION] != NULL && v[P_VERSION]->number != 1)
		check_value(k, SEV_ERROR, "policy.version", v[P_VERSION], MP_VERSION, o, "");
	k->c->groups = node_member(root, "groups");
	root = write_out(k, root);
	if (root == NULL)
		return;
	for (size_t i = P_ZONES; i < KEYS(policy_keys); i++)
		v[i] = v[i] != NULL || i == P_ASSETS ? node_member(root, policy_keys[i].name) : NULL;
	k->c->written = root;
	if (box != NULL)
		check_box(k, box);
	if (k->interfaces.n == 0) /* no box.cfg, or one without interfaces, which was reported */
		check_box_default(k, v[P_ZONES]);
	check_site(k, v[P_SITE]);
	check_zones(k, v[P_ZONES]);
	check_sides(k);
	if (box != NULL)
		check_network(k);
	check_assets(k, v[P_ASSETS]);
	check_answers(k);
	check_services(k, v[P_SERVICES]);
	check_windows(k, v[P_WINDOWS]);
	check_doors(k, v[P_DOORS]);
	check_conduits(k, v[P_CONDUITS]);
	check_organisations(k, v[P_ORGANISATIONS]);
	report_never_open(k);
	check_doors_used(k);
	check_nevers(k, v[P_NEVER]);
	check_always(k, v[P_ALWAYS]);
	check_breaks(k, v[P_BREAK]);
	check_isolations(k, v[P_ISOLATIONS]);
	check_confirm_needs(k, v[P_CONFIRM_NEEDS]);
	check_ledger(k);
}

bool policy_check(struct compilation *c, const struct policy_loader *l, const char *main_name)
{
	const struct ast_node *root, *box = NULL;
	struct check k = { .c = c, .l = l, .a = c->arena, .d = &c->diags, .now = clock_wall_s() };

	c->sources = NULL;
	c->n_sources = 0;
	c->written = c->groups = NULL;
	c->model = NULL;
	c->ir = NULL;
	diags_init(&c->diags, c->arena);
	root = parse_policy(c, l, main_name);
	read_box(c, l, main_name, &box); /* without it, the policy is checked all the same */
	k.m = arena_alloc(c->arena, sizeof(*k.m));
	if (root != NULL && k.m != NULL) {
		check_all(&k, root, box);
		k.m->sources = c->sources;
		k.m->n_sources = c->n_sources;
		k.m->now = k.now;
	}
	name_cells(c);
	if (arena_failed(c->arena))
		diag_add(&c->diags, SEV_ERROR, "policy.too_large", (struct srcpos){ 0 }, MP_MEMORY);
	if (root != NULL && c->diags.errors == k.harmless)
		c->model = k.m;
	return c->diags.errors == 0;
}
