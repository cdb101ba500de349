/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares the expected image with the dumped one. Reports everything in the namespace that the
 * generation in force does not explain, and everything that it needs and that is missing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/monitor.h"
#include "appliance/enforce/used.h"
#include "appliance/enforce/verify.h"
#include "appliance/enforce/witness.h"
#include "appliance/enforce/work.h"
#include "appliance/kernel/dump.h"
#include "appliance/kernel/ruleset.h"

/* ns: the longest time for test packets. If a policy is too large to be tested in this time, each
 * comparison tests other packets */
#define WITNESS_NS 500000000ull

static void note_difference(struct differences *d, bool ours, const char *where, const char *what, const char *detail,
			    const char *want, uint32_t line)
{
	struct difference *x = arena_grow(d->arena, (void **)&d->list, &d->n, &d->room, sizeof(*x));

	if (x == NULL)
		return;
	*x = (struct difference){
		.where = arena_strndup(d->arena, where, strlen(where)),
		.what = what,
		.detail = arena_strndup(d->arena, detail, strlen(detail)),
		.want = want != NULL ? arena_strndup(d->arena, want, strlen(want)) : NULL,
		.line = line,
		.ours = ours,
	};
	if (x->where == NULL || x->detail == NULL)
		d->n--;
	else if (ours)
		d->ours++;
}

/*
 * A rule's text for people: "meta l4proto eq 0x06 payload 2b @ transport header + 2 eq 0x16
 * accept". Brackets and register numbers, which only the kernel needs, are left out.
 */
static const char *brief(struct differences *d, const char *text)
{
	static const char *const noise[] = { "[ ", " ]", "load ", "cmp ", "immediate ", "reg ", "type 1 name " };
	size_t n = strlen(text), at = 0;
	char *out = arena_alloc(d->arena, n + 1);

	if (out == NULL)
		return text;
	while (*text != '\0') {
		size_t skip = 0;

		for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]) && skip == 0; i++)
			if (strncmp(text, noise[i], strlen(noise[i])) == 0)
				skip = strlen(noise[i]);
		/* The number of one of nf_tables' registers; "=> reg 9" too. */
		if (skip > 0 && strncmp(text, "reg ", 4) == 0) {
			skip += strspn(text + skip, "0123456789");
			skip += text[skip] == ' ';
		} else if (strncmp(text, "=> reg ", 7) == 0) {
			skip = 7 + strspn(text + 7, "0123456789");
			at -= at > 0 && out[at - 1] == ' ';
		}
		if (skip == 0)
			out[at++] = *text++;
		text += skip;
	}
	out[at] = '\0';
	return out;
}

static void compare_chains(struct differences *d, const struct image *have, const struct image *want)
{
	char name[16], where[32];

	if (!have->table) {
		d->table_gone = true;
		note_difference(d, true, "table", "missing", "", NULL, 0);
		return;
	}
	if (!have->table_plain)
		note_difference(d, true, "table", "flags", "dormant", NULL, 0);
	for (uint32_t c = 0; c < CHAIN_COUNT; c++) {
		snprintf(where, sizeof(where), "chain %s", ir_chain_name((enum ir_chain)c, name));
		if (have->chain_wrong[c])
			note_difference(d, true, where, "hook", "", NULL, 0);
		else if (want->chains[c] && !have->chains[c])
			note_difference(d, true, where, "missing", "", NULL, 0);
		else if (!want->chains[c] && have->chains[c])
			note_difference(d, true, where, "extra", "", NULL, 0);
		else if (c < BASE_CHAINS && !have->policy_drop[c])
			note_difference(d, true, where, "policy", "accept", "drop", 0);
	}
}

static bool stands_later(const struct image_rule *r, const struct image_rule *end, const char *text)
{
	for (; r < end; r++)
		if (strcmp(r->text, text) == 0)
			return true;
	return false;
}

static void compare_rules(struct differences *d, const struct image *have, const struct image *want)
{
	const struct image_rule *h = have->rules, *w = want->rules;
	const struct image_rule *h_all = h + have->n_rules, *w_all = w + want->n_rules;
	char name[16], where[32];

	for (uint32_t c = 0; c < CHAIN_COUNT; c++) {
		const struct image_rule *h_end = h, *w_end = w;

		while (h_end < h_all && h_end->chain == c)
			h_end++;
		while (w_end < w_all && w_end->chain == c)
			w_end++;
		snprintf(where, sizeof(where), "chain %s", ir_chain_name((enum ir_chain)c, name));
		while (h < h_end || w < w_end) {
			if (h < h_end && w < w_end && strcmp(h->text, w->text) == 0) {
				h++;
				w++;
			} else if (h < h_end && (w == w_end || stands_later(h + 1, h_end, w->text))) {
				note_difference(d, true, where, "extra", brief(d, h++->text), NULL, 0);
			} else if (w < w_end && (h == h_end || stands_later(w + 1, w_end, h->text))) {
				note_difference(d, true, where, "missing", brief(d, w->text), NULL, w->line);
				w++;
			} else {
				note_difference(d, true, where, "changed", brief(d, h++->text), brief(d, w->text),
						w->line);
				w++;
			}
		}
	}
}

static int change_order(const struct element_change *h, const struct element_change *w)
{
	int r;

	if (h->set != w->set)
		return h->set < w->set ? -1 : 1;
	r = memcmp(h->element->key, w->element->key, IMAGE_KEY);
	return r != 0 ? r : memcmp(h->element->key_end, w->element->key_end, IMAGE_KEY);
}

static int compare_elements(struct differences *d, const struct image *have, const struct image *want,
			    const struct generation_held *g, uint64_t now)
{
	struct element_diff diff;
	char text[400], right[400], where[32];
	size_t x = 0, y = 0;

	for (unsigned s = 0; s < TABLE_SET_COUNT; s++) {
		snprintf(where, sizeof(where), "set %s", set_name(s));
		if (have->set_wrong[s])
			note_difference(d, true, where, "shape", "", NULL, 0);
		else if (!have->sets[s])
			note_difference(d, true, where, "missing", "", NULL, 0);
	}
	if (image_diff(have, want, now, d->arena, &diff) < 0)
		return -ENOMEM;
	/* Both lists are sorted by set and key. An element that is in both was changed. */
	while (x < diff.n_gone || y < diff.n_added) {
		int r = x == diff.n_gone ? 1 : y == diff.n_added ? -1 : change_order(&diff.gone[x], &diff.added[y]);
		const struct element_change *came = r >= 0 ? &diff.added[y] : NULL;
		const struct element_change *c = r <= 0 ? &diff.gone[x] : came;
		const char *what = "changed";

		x += r <= 0;
		y += r >= 0;
		if (r < 0 && image_ending(c->element, now))
			continue;
		if (r != 0)
			what = r < 0 ? "extra" : "missing";
		image_element_text(c->set, c->element, &g->ir, g->interfaces, text, sizeof(text));
		snprintf(where, sizeof(where), "set %s", set_name(c->set));
		if (r == 0)
			image_element_text(c->set, came->element, &g->ir, g->interfaces, right, sizeof(right));
		note_difference(d, true, where, what, text, r == 0 ? right : NULL, r >= 0 ? came->element->line : 0);
	}
	return 0;
}

static void compare_rest(struct differences *d, const struct image *have, const struct image *want)
{
	for (uint32_t r = 0; r < REASON_COUNT; r++)
		if (want->counters[r].present && !have->counters[r].present)
			note_difference(d, true, "counter", "missing", reason_word((enum reason)r), NULL, 0);
	for (size_t n = 0; n < have->n_foreign; n++) {
		const struct image_foreign *f = &have->foreign[n];
		bool ours = f->name != NULL && f->kind != FOREIGN_OBJECT;

		note_difference(d, ours, ours ? "table" : "namespace", "foreign", f->what, NULL, 0);
		d->foreign += !ours;
	}
}

/* Keeps the labels, which were read and are right, so that they need not be read again before the
 * next transaction. Labels with an end expire by themselves. */
static void keep_labels(struct labels *l, const struct image *have)
{
	for (unsigned s = 0; s < TABLE_SET_COUNT; s++)
		for (size_t k = 0; ir_set_label(s) && k < have->elements[s].n; k++)
			if (have->elements[s].list[k].until != 0)
				return;
	l->arena = arena_new(DUMP_BUDGET);
	if (l->arena == NULL)
		return;
	image_init(&l->image, l->arena);
	l->image.generation_id = have->generation_id;
	l->known = true;
	for (unsigned s = 0; s < TABLE_SET_COUNT; s++) {
		const struct image_elements *from = &have->elements[s];

		if (!ir_set_label(s) || from->n == 0)
			continue;
		l->image.elements[s].list = arena_array(l->arena, from->n, sizeof(*from->list));
		if (l->image.elements[s].list == NULL) {
			enforce_labels_forget(l);
			return;
		}
		l->image.elements[s].n = l->image.elements[s].room = from->n;
		memcpy(l->image.elements[s].list, from->list, from->n * sizeof(*from->list));
	}
}

void enforce_labels_forget(struct labels *labels)
{
	arena_free(labels->arena);
	*labels = (struct labels){ 0 };
}

int enforce_compare(struct enforce *f, struct arena *a, struct differences *ret, struct err *e)
{
	struct image have = { 0 }, want = { 0 };
	struct expectation x;
	uint64_t asked_ns = clock_mono().ns;
	int r;

	*ret = (struct differences){ .arena = a };
	enforce_labels_forget(&f->uses.labels);
	if (f->now == NULL)
		return err_set(e, -ENODATA, "no generation is in force");
	telling_stage(f, PROGRESS_READS);
	r = netlink_dump(&f->kernel.net, a, &have, e);
	telling_stage(f, PROGRESS_COMPARES);
	if (r == 0)
		r = generation_image(f, f->now, a, &want, &x, e);
	/* If it is not known what is isolated, as in a look (look.h), the isolation in the kernel
	 * counts as right. */
	for (unsigned s = SET_APART4; r == 0 && !f->isolated.known && s <= SET_PARTED; s++)
		want.elements[s] = have.elements[s];
	if (r == 0 && stop_asked(f))
		r = err_set(e, -ECANCELED, "stopped");
	if (r < 0)
		return r;
	matched_note(&f->uses.matched, &have, f->now, clock_wall_ns());
	begun_looked(f, &have, false);
	compare_chains(ret, &have, &want);
	if (have.table) {
		compare_rules(ret, &have, &want);
		r = compare_elements(ret, &have, &want, f->now, x.now);
	}
	if (r == 0)
		compare_rest(ret, &have, &want);
	if (r < 0 || arena_failed(a))
		return err_set(e, -ENOMEM, "comparison");
	if (ret->ours == 0) {
		f->watched.equal_ns = asked_ns;
		keep_labels(&f->uses.labels, &have);
	}
	return 0;
}

static void note_setting(const char *name, const char *have, const char *want, void *ctx)
{
	struct differences *d = ctx;

	note_difference(d, false, name, "sysctl", have, want, 0);
	d->settings++;
}

static void counterexample(void *ctx, const char *what, const char *packet)
{
	note_difference(ctx, false, "packet", what, packet, NULL, 0);
}

static void heard(void *ctx, uint64_t packets)
{
	struct enforce *f = ctx;

	monitor_glance(f);
	telling_count(f, packets, 0);
}

static bool verify_stopped(void *ctx)
{
	return stop_asked(ctx);
}

/*
 * Nothing passes between isolated pairs. So the other test packets are judged by the same rules
 * without the sets of isolated pairs. The comparison has shown that these sets have exactly the
 * isolated pairs.
 */
static void without_apart(struct ruleset *r)
{
	for (size_t i = 0; i < r->n_sets; i++)
		if (strcmp(r->sets[i].name, ir_set_name(SET_APART4)) == 0 ||
		    strcmp(r->sets[i].name, ir_set_name(SET_APART6)) == 0)
			r->sets[i].n = 0;
}

/* The comparison above shows that the kernel has the rules that were written; these packets show
 * that the rules do what the policy says. */
static int ask_packets(struct enforce *f, struct differences *d, struct err *e)
{
	struct witness w = {
		.ir = &f->now->ir,
		.ids = f->now->ids,
		.interfaces = f->now->interfaces,
		.now = enforce_moment(f),
		.seed = clock_mono().ns,
		.limit_ns = WITNESS_NS,
		.between = heard,
		.stopped = verify_stopped,
		.between_ctx = f,
	};
	struct arena *a = arena_new(DUMP_BUDGET);
	struct ruleset rules;
	int r;

	telling_stage(f, PROGRESS_EXECUTES);
	r = a == NULL ? err_set(e, -ENOMEM, "rules as they are executed") : ruleset_read(&f->kernel.net, a, &rules, e);

	telling_stage(f, PROGRESS_PACKETS);
	if (r == 0)
		witness_isolated(&w, &f->isolated.apart, &f->isolated.kept, &rules, counterexample, d);
	if (r == 0)
		without_apart(&rules);
	if (r == 0)
		witness_ask(&w, &rules, counterexample, d);
	if (r == 0 && stop_asked(f))
		r = err_set(e, -ECANCELED, "stopped");
	d->packets = w.packets;
	arena_free(a);
	return r;
}

int enforce_verify(struct enforce *f, struct arena *a, struct differences *ret, struct err *e)
{
	int r = enforce_compare(f, a, ret, e);

	if (r == 0)
		r = ask_packets(f, ret, e);
	if (r == 0)
		sysctl_verify(true, f->now->ir.record_passed, note_setting, ret);
	return r == 0 && arena_failed(a) ? err_set(e, -ENOMEM, "comparison") : r;
}

json_t *differences_json(const struct differences *d, const struct ir *ir)
{
	json_t *list = json_array();

	for (size_t n = 0; n < d->n; n++) {
		const struct difference *x = &d->list[n];

		json_t *j = json_pack("{s:o,s:s,s:o,s:I}", "where", json_text(x->where), "what", x->what, "detail",
				      json_text(x->detail), "line", (json_int_t)x->line);

		if (x->want != NULL)
			json_object_set_new(j, "want", json_text(x->want));
		(void)json_array_append_new(list, j);
	}
	return json_pack("{s:b,s:o,s:I,s:o}", "equal", d->n == 0, "differences", list, "packets_asked",
			 (json_int_t)d->packets, "digest", json_hex(ir->digest, sizeof(ir->digest)));
}
