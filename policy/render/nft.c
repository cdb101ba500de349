/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule IR as nft text for people. It is what enforce loads, with two differences that the text
 * mentions. Permits have this policy's numbers (a box keeps its own). What Debian's nft cannot
 * express is a comment (keys with a session's original tuple; an end at a point in time). A loaded
 * copy would therefore cut sessions that the box looks up again: it refuses more, never less. Keys
 * of cells begin with the interfaces, unlike in the box: nft 1.0.6 ends itself when it lists a map
 * of six fields that begins with an address.
 */
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include "appliance/base/sha256.h"
#include "policy/ir/elements.h"
#include "policy/ir/lasting.h"
#include "policy/ir/limits.h"
#include "policy/read/compilation.h"
#include "policy/render/nft.h"
#include "policy/render/render.h"

struct printer {
	FILE *to;
	const struct ir *ir;
	uint64_t lanes;
};

/* A name inside a comment: one line, whatever the operator wrote. */
static void put_name(const struct printer *p, const char *s)
{
	for (; *s != '\0'; s++)
		fputc((unsigned char)*s < 0x20 || *s == 0x7f ? ' ' : *s, p->to);
}

/* A kernel interface name in quotes, without characters that could end them. */
static void put_device(const struct printer *p, uint32_t interface)
{
	fputc('"', p->to);
	for (const char *s = p->ir->interfaces[interface].device; *s != '\0'; s++)
		fputc((unsigned char)*s <= 0x20 || *s == 0x7f || *s == '"' || *s == '\\' ? '?' : *s, p->to);
	fputc('"', p->to);
}

/* ---- sets ------------------------------------------------------------------------------------ */

struct set_words {
	const char *kind, *type, *flags;
};

static struct set_words words_of(enum ir_set set)
{
	static const char *const cells[] = {
		"iface_index . iface_index . ipv4_addr . ipv4_addr . inet_proto . inet_service : mark",
		"iface_index . iface_index . ipv6_addr . ipv6_addr . inet_proto . inet_service : mark",
	};
	struct set_words w = { "map", cells[ir_set_six(set)], NULL };

	if (set == SET_LIVE)
		return (struct set_words){ "map", "iface_index . ct_dir . mark : mark", "timeout" };
	if (set == SET_AGREE || set == SET_TOGETHER)
		return (struct set_words){ "set", "mark . mark", "timeout" };
	if (set == SET_HOME)
		return (struct set_words){ "set", "iface_index . mark", NULL };
	if (set == SET_PACE4 || set == SET_PACE6)
		return (struct set_words){ "set",
					   set == SET_PACE4 ? "ipv4_addr . ipv4_addr . mark"
							    : "ipv6_addr . ipv6_addr . mark",
					   "dynamic, timeout" };
	if (set == SET_PACE_FEW || set == SET_PACE_MANY || set == SET_PACE_LINK)
		return (struct set_words){ "set", "iface_index . mark", "dynamic" };
	if (ir_set_apart(set))
		return (struct set_words){ "set", ir_set_six(set) ? "ipv6_addr . ipv6_addr" : "ipv4_addr . ipv4_addr",
					   "interval" };
	if (ir_set_kept(set))
		return (struct set_words){ "set",
					   ir_set_six(set) ? "ipv6_addr . ipv6_addr . mark"
							   : "ipv4_addr . ipv4_addr . mark",
					   "interval" };
	if (set == SET_PARTED || set == SET_SWITCH)
		return (struct set_words){ "set", "nf_proto", NULL };
	if (ir_set_bridge(set)) {
		w.flags = "interval, timeout";
		return w;
	}
	/* nft has no types for the parts of these keys, or, for a session's id, has one only inside
	 * a rule */
	if (set >= SET_SHARE4)
		return (struct set_words){ NULL, NULL, NULL };
	if (!ir_set_cells(set))
		return (struct set_words){ "set", "mark . mark", NULL };
	if (ir_set_range(set))
		w.flags = "interval";
	else if (set != SET_EXACT4 && set != SET_EXACT6)
		w.flags = "interval, timeout";
	return w;
}

static void put_range(const struct printer *p, const struct addr_range *r)
{
	char text[2 * ADDR_TEXT];

	addr_range_text(r, text, sizeof(text));
	fprintf(p->to, " . %s", text);
}

static void put_cell_key(const struct printer *p, const struct ir_element *e)
{
	put_device(p, e->iif);
	fputs(" . ", p->to);
	put_device(p, e->oif);
	put_range(p, &e->src);
	put_range(p, &e->dst);
	switch (e->l4proto) {
	case IPPROTO_TCP:
		fputs(" . tcp", p->to);
		break;
	case IPPROTO_UDP:
		fputs(" . udp", p->to);
		break;
	case IPPROTO_ICMP:
		fputs(" . icmp", p->to);
		break;
	default:
		fputs(" . ipv6-icmp", p->to);
		break;
	}
	fprintf(p->to, " . %u", e->lo);
	if (e->hi != e->lo)
		fprintf(p->to, "-%u", e->hi);
}

static void put_key(const struct printer *p, const struct ir_element *e)
{
	if (ir_set_cells(e->set)) {
		put_cell_key(p, e);
	} else if (e->set == SET_LIVE) {
		put_device(p, e->iif);
		fprintf(p->to, " . %s . 0x%08x", e->direction ? "reply" : "original", e->mark_key);
		/* indexes as if the kernel numbered devices like this policy */
	} else if (e->set == SET_HOME) {
		put_device(p, e->iif);
		fprintf(p->to, " . 0x%08x", mark_arrived(e->iif + 1));
	} else {
		fprintf(p->to, "0x%08x . 0x%08x", e->mark_key, e->set == SET_RESETS ? e->mark_key2 : e->mark_key);
	}
}

static uint32_t permit_of(const struct ir_element *e)
{
	if (ir_set_cells(e->set))
		return mark_permit(e->data);
	return e->set == SET_RESETS || e->set == SET_HOME ? 0 : mark_permit(e->mark_key);
}

/* Names the conduits and their lines. */
static void put_conduits(const struct printer *p, uint32_t permit)
{
	const struct command_permit *cp = &p->ir->table.permits[permit - 1];
	uint32_t before = UINT32_MAX;

	for (uint32_t g = 0; g < cp->n_grants; g++) {
		uint32_t i = p->ir->table.grants[cp->first_grant + g].conduit;
		const struct ir_conduit *c = &p->ir->conduits[i];

		if (i == before)
			continue;
		fputs(before == UINT32_MAX ? " # " : ", ", p->to);
		put_name(p, c->name);
		fprintf(p->to, " (%s:%u)", c->file < p->ir->n_sources ? p->ir->sources[c->file].name : "?", c->line);
		before = i;
	}
}

static void put_element(const struct printer *p, const struct ir_element *e)
{
	time_t until = (time_t)e->until;
	uint32_t permit = permit_of(e);
	char text[32];
	struct tm tm;

	fputs("\t\t\t", p->to);
	if (e->until == IR_SHUT) {
		fputs("# by hours: ", p->to);
	} else if (e->until != 0) {
		if (gmtime_r(&until, &tm) == NULL || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
			strcpy(text, "?");
		fprintf(p->to, "# until %s: ", text);
	}
	put_key(p, e);
	if (strcmp(words_of(e->set).kind, "map") == 0)
		fprintf(p->to, " : 0x%08x", e->data);
	fputc(',', p->to);
	if (permit != 0)
		put_conduits(p, permit);
	fputc('\n', p->to);
}

static void put_set(const struct printer *p, enum ir_set set, const struct ir_element *e, size_t n)
{
	struct set_words w = words_of(set);
	bool any = false;

	if (w.kind == NULL)
		return;
	for (size_t i = 0; i < n && !any; i++)
		any = e[i].until == 0;
	fprintf(p->to, "\t%s %s {\n\t\ttype %s\n", w.kind, ir_set_name(set), w.type);
	if (w.flags != NULL)
		fprintf(p->to, "\t\tflags %s\n", w.flags);
	if (set >= SET_PACE4 && set < SET_APART4)
		fputs("\t\tsize 65536\n", p->to);
	/* A list with comments only would be a syntax error. */
	if (any)
		fputs("\t\telements = {\n", p->to);
	for (size_t i = 0; i < n; i++)
		put_element(p, &e[i]);
	fputs(any ? "\t\t}\n\t}\n\n" : "\t}\n\n", p->to);
}

/* ---- the whole text -------------------------------------------------------------------------- */

static void put_header(const struct printer *p)
{
	char digest[65];

	hex_text(p->ir->digest, sizeof(p->ir->digest), digest);
	fputs("# Sekisho: rules of site \"", p->to);
	put_name(p, p->ir->site_name);
	fprintf(p->to, "\", generation %s\n", digest);
	fputs("# Marks: bit 31 let by, bit 30 reply (of a session: its age, its idle time are limited), bits 24-29 "
	      "lane, bits 22-23 outcome, bits 0-21 permit (here: "
	      "number in this "
	      "policy).\n"
	      "# \"not nft:\" marks what nft has no words for; the box loads these rules as well.\n"
	      "# Where the kernel has no queue expression, the box uses the NFQUEUE target (revision 3) in its place.\n"
	      "table inet sekisho {\n",
	      p->to);
}

static void put_counters(const struct printer *p, const struct ir_rule *rules, size_t n)
{
	bool used[REASON_COUNT] = { false };

	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < rules[i].n; k++)
			if (rules[i].stmts[k].kind == IR_COUNT && rules[i].stmts[k].a < REASON_COUNT)
				used[rules[i].stmts[k].a] = true;
	for (unsigned r = 0; r < REASON_COUNT; r++)
		if (used[r])
			fprintf(p->to, "\tcounter %s { }\n", reason_word((enum reason)r));
	fputc('\n', p->to);
}

static void put_chains(const struct printer *p, const struct ir_rule *rules, size_t n)
{
	static const char *const hooks[] = {
		[CHAIN_GUARD] = "type filter hook prerouting priority raw; policy drop;",
		[CHAIN_INPUT] = "type filter hook input priority filter; policy drop;",
		[CHAIN_FORWARD] = "type filter hook forward priority filter; policy drop;",
		[CHAIN_POST] = "type filter hook forward priority filter + 10; policy drop;",
		[CHAIN_LAST] = "type filter hook forward priority filter + 20; policy drop;",
		[CHAIN_OUTPUT] = "type filter hook output priority filter; policy drop;",
	};
	char name[16];

	for (unsigned c = 0; c < CHAIN_COUNT; c++) {
		bool open = false;

		for (size_t i = 0; i < n; i++) {
			if (rules[i].chain != c)
				continue;
			if (!open) {
				fprintf(p->to, "\tchain %s {\n", ir_chain_name((enum ir_chain)c, name));
				if (c <= CHAIN_OUTPUT)
					fprintf(p->to, "\t\t%s\n", hooks[c]);
			}
			open = true;
			render_nft_rule(p->to, &rules[i], p->lanes);
		}
		if (open)
			fputs("\t}\n\n", p->to);
	}
}

static bool unused_part(unsigned s, const struct ir_maps *maps)
{
	unsigned at = (s - SET_BRIDGE4) % (IR_PARTS + IR_LAYERS);

	if (ir_set_range(s))
		return s - (s < SET_UNTIL6 ? SET_RANGE4 : SET_RANGE6) >= maps->parts;
	return ir_set_bridge(s) && (at < IR_PARTS ? at >= maps->parts : at - IR_PARTS >= maps->layers);
}

void render_nft(FILE *to, const struct ir *ir)
{
	struct printer p = { .to = to, .ir = ir, .lanes = ir_lanes(ir) };
	struct arena *a = arena_new(COMPILE_BUDGET);
	uint32_t *ids = a != NULL ? arena_array(a, ir->n_permits, sizeof(*ids)) : NULL;
	struct ir_element *elements = NULL;
	struct ir_rule *rules = NULL;
	struct ir_limits limits = { .n = 0 };
	struct ir_maps maps = ir_maps(ir);
	size_t n_rules = 0, n = 0;

	ir_limits_add_all(&limits, ir);
	for (uint32_t i = 0; i < ir->n_permits && ids != NULL; i++)
		ids[i] = i + 1;
	if (ids != NULL) {
		n_rules = ir_skeleton(p.lanes | ir_lasting_lanes(ir), maps, &limits, a, &rules);
		n = ir_elements(ir, ids, a, &elements);
	}
	if (ids == NULL || arena_failed(a)) {
		fputs("# out of memory\n", to);
		arena_free(a);
		return;
	}
	put_header(&p);
	put_counters(&p, rules, n_rules);
	for (unsigned s = 0; s < SET_COUNT; s++) {
		size_t first = 0, last;

		while (first < n && elements[first].set != s)
			first++;
		for (last = first; last < n && elements[last].set == s; last++)
			;
		/* No rule uses an empty layer, or a part if the ranges are not divided. */
		if (first == last && ((s > SET_UNTIL4 && s < SET_EXACT4) || (s > SET_UNTIL6 && s < SET_EXACT6)))
			continue;
		if (unused_part(s, &maps))
			continue;
		put_set(&p, (enum ir_set)s, elements + first, last - first);
	}
	put_chains(&p, rules, n_rules);
	fputs("}\n", to);
	arena_free(a);
}
