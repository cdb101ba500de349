/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho protocols [--all] [NAME]`: what a policy can write about each protocol, from the
 * compiler's own tables. */
#include <inttypes.h>
#include <string.h>

#include "appliance/wire/notation.h"
#include "appliance/wire/reason.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

#define LIST_TEXT 1024u

struct words {
	char text[LIST_TEXT];
	size_t n;
};

static void word(struct words *w, const char *between, const char *text)
{
	int k = snprintf(w->text + w->n, LIST_TEXT - w->n, "%s%s", w->n > 0 ? between : "", text);

	w->n += k > 0 && (size_t)k < LIST_TEXT - w->n ? (size_t)k : 0;
}

static void classes_of(unsigned classes, struct words *ret)
{
	for (unsigned bit = 1; bit <= CLASS_ALL; bit <<= 1)
		if ((classes & bit) != 0)
			word(ret, ", ", command_class_name(bit));
}

/* Keys in backquotes, as on the documentation page. */
static void keys_of(const struct vocabulary *v, uint64_t spaces, const char *quote, struct words *ret)
{
	for (unsigned s = 0; s < v->n_spaces; s++)
		if ((spaces >> s & 1u) != 0) {
			char key[64];

			snprintf(key, sizeof(key), "%s%s%s", quote, v->spaces[s].key, quote);
			word(ret, ", ", key);
		}
}

/* "0-65535", or "block.byte.bit: block 0-65535, byte 0-65535, bit 0-7". */
static void numbers_of(const struct notation *n, struct words *ret)
{
	char text[NOTATION_TEXT], part[NOTATION_TEXT + 32];

	if (n->n == 1) {
		notation_text(n, (struct number_range){ 0, n->max }, text);
		word(ret, "", text);
		return;
	}
	notation_form(n, text, sizeof(text));
	word(ret, "", text);
	for (unsigned i = 0; i < n->n; i++) {
		snprintf(part, sizeof(part), n->hex ? "%s 0x0-0x%" PRIx64 : "%s 0-%" PRIu64, n->parts[i].what,
			 notation_part_max(n, i));
		word(ret, i == 0 ? ": " : ", ", part);
	}
}

static const char *depth_word(enum protocol_depth d)
{
	static const char *const words[] = {
		[DEPTH_TRANSPORT] = "transport",
		[DEPTH_NDPI] = "named",
		[DEPTH_RECOGNISED] = "recognised",
		[DEPTH_COMMANDS] = "commands",
	};

	return words[d];
}

static void transports_of(unsigned transports, struct words *ret)
{
	if ((transports & TRANSPORT_TCP) != 0)
		word(ret, ", ", "tcp");
	if ((transports & TRANSPORT_UDP) != 0)
		word(ret, ", ", "udp");
	if ((transports & TRANSPORT_ICMP) != 0)
		word(ret, ", ", "icmp");
}

/* ---- output for programs --------------------------------------------------------------------- */

static json_t *functions_json(const struct vocabulary *v)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < v->n_functions; i++) {
		const struct function_info *f = &v->functions[i];
		struct words classes = { .n = 0 }, spaces = { .n = 0 };

		classes_of(f->classes, &classes);
		keys_of(v, f->spaces, "", &spaces);
		json_array_append_new(
			list, json_pack("{s:I,s:I,s:s,s:s,s:s,s:b,s:b,s:b}", "code", (json_int_t)f->code, "last",
					(json_int_t)f->last, "name", f->name, "commands", classes.text, "spaces",
					spaces.text, "place_unknown", (f->untold & UNTOLD_PLACE) != 0, "value_unknown",
					(f->untold & UNTOLD_VALUE) != 0, "by_name_only", f->framing == FRAMING_APART));
	}
	return list;
}

static json_t *numbers_json_of(const char *key, const char *one, const struct notation *n, bool bits)
{
	struct words numbers = { .n = 0 };

	numbers_of(n, &numbers);
	return json_pack("{s:s,s:s*,s:s,s:b}", "key", key, "one", one, "numbers", numbers.text, "bits", bits);
}

/* The next reason of this protocol, whose word begins with its name; REASON_COUNT behind the
 * last. */
static enum reason next_reason(const struct protocol_info *info, enum reason r)
{
	size_t n = strlen(info->name);

	while (++r < REASON_COUNT)
		if (strncmp(reason_word(r), info->name, n) == 0 && reason_word(r)[n] == '.')
			break;
	return r;
}

static json_t *reasons_json(const struct protocol_info *info)
{
	json_t *list = json_array();

	for (enum reason r = next_reason(info, R_NONE); r < REASON_COUNT; r = next_reason(info, r))
		json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "reason", reason_word(r), "en",
						      reason_text(r, "en"), "ja", reason_text(r, "ja")));
	return list;
}

static json_t *protocol_json(enum protocol p)
{
	const struct protocol_info *info = protocol_info(p);
	const struct vocabulary *v = vocabulary_of(p);
	json_t *targets = json_array(), *spaces = json_array();
	struct words transports = { .n = 0 };

	transports_of(info->transports, &transports);
	for (unsigned i = 0; v != NULL && i < v->n_targets; i++) {
		struct notation n = notation_of_target(&v->targets[i]);

		json_array_append_new(targets, numbers_json_of(v->targets[i].key, v->targets[i].one, &n, false));
	}
	for (unsigned i = 0; v != NULL && i < v->n_spaces; i++) {
		struct notation n = notation_of_space(&v->spaces[i]);

		json_array_append_new(spaces, numbers_json_of(v->spaces[i].key, NULL, &n, v->spaces[i].bits));
	}
	return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "protocol", info->name, "transports", transports.text,
			 "depth", depth_word(info->depth), "undecided_bytes",
			 protocol_undecided(p) == UNMEASURED ? json_null()
							     : json_integer((json_int_t)protocol_undecided(p)),
			 "targets", targets, "spaces", spaces, "functions",
			 v != NULL ? functions_json(v) : json_array(), "reasons", reasons_json(info));
}

/* ---- output for people: the tables of docs/protocols ----------------------------------------- */

static void targets_print(struct cli *c, const struct vocabulary *v)
{
	if (v->n_targets == 0)
		return;
	message_print(c->out, c->lang, M_PROTOCOLS_TARGETS);
	for (unsigned i = 0; i < v->n_targets; i++) {
		struct notation n = notation_of_target(&v->targets[i]);
		struct words numbers = { .n = 0 };

		numbers_of(&n, &numbers);
		fprintf(c->out, "| `%s` | %s | `%s`", v->targets[i].key, numbers.text, v->targets[i].one);
		fprintf(c->out, c->lang == LANG_JA ? "（%s） |\n" : " |\n", v->targets[i].ja);
	}
}

/* Spaces with equal numbers and contents share a line, at the place of the first. */
static uint64_t alike(const struct vocabulary *v, unsigned first)
{
	struct notation n = notation_of_space(&v->spaces[first]);
	struct words numbers = { .n = 0 };
	uint64_t set = 0;

	numbers_of(&n, &numbers);
	for (unsigned i = 0; i < v->n_spaces; i++) {
		struct words other = { .n = 0 };

		n = notation_of_space(&v->spaces[i]);
		numbers_of(&n, &other);
		if (v->spaces[i].bits == v->spaces[first].bits && strcmp(numbers.text, other.text) == 0)
			set |= (uint64_t)1 << i;
	}
	return set;
}

static void spaces_print(struct cli *c, const struct vocabulary *v)
{
	uint64_t told = 0;

	if (v->n_spaces == 0)
		return;
	message_print(c->out, c->lang, M_PROTOCOLS_SPACES);
	for (unsigned i = 0; i < v->n_spaces; i++) {
		struct notation n = notation_of_space(&v->spaces[i]);
		struct words numbers = { .n = 0 }, keys = { .n = 0 };

		if ((told >> i & 1u) != 0)
			continue;
		told |= alike(v, i);
		keys_of(v, alike(v, i), "`", &keys);
		numbers_of(&n, &numbers);
		fprintf(c->out, "| %s | %s | %s |\n", keys.text, numbers.text,
			message_format(v->spaces[i].bits ? M_PROTOCOLS_BITS : M_PROTOCOLS_NUMBERS, c->lang));
	}
}

static void remarks_of(const struct function_info *f, enum lang l, struct words *ret)
{
	const char *comma = message_format(M_IMPACT_COMMA, l);

	if ((f->untold & UNTOLD_PLACE) != 0)
		word(ret, comma, message_format(M_PROTOCOLS_PLACE, l));
	if ((f->untold & UNTOLD_VALUE) != 0)
		word(ret, comma, message_format(M_PROTOCOLS_VALUE, l));
	if (f->framing == FRAMING_APART)
		word(ret, comma, message_format(M_PROTOCOLS_NAMED, l));
}

#define MANY 8 /* keys; with more, the few exceptions are listed instead */

static void addresses_of(const struct vocabulary *v, uint64_t spaces, enum lang l, struct words *ret)
{
	uint64_t all = v->n_spaces < 64 ? ((uint64_t)1 << v->n_spaces) - 1u : UINT64_MAX, rest = all & ~spaces;
	struct words others = { .n = 0 };

	if (__builtin_popcountll(spaces) <= MANY || __builtin_popcountll(rest) > MANY / 2) {
		keys_of(v, spaces, "`", ret);
	} else if (rest == 0) {
		word(ret, "", message_format(M_EFFECTIVE_ANY, l));
	} else {
		keys_of(v, rest, "`", &others);
		message_text(ret->text, LIST_TEXT, l, M_PROTOCOLS_ALL_BUT, others.text);
	}
}

static void functions_print(struct cli *c, const struct vocabulary *v)
{
	message_print(c->out, c->lang, M_PROTOCOLS_FUNCTIONS);
	for (unsigned i = 0; i < v->n_functions; i++) {
		const struct function_info *f = &v->functions[i];
		struct words classes = { .n = 0 }, spaces = { .n = 0 }, remarks = { .n = 0 };
		char code[CODE_TEXT], last[CODE_TEXT];

		code_text(v, f->code, code);
		code_text(v, f->last, last);
		classes_of(f->classes, &classes);
		addresses_of(v, f->spaces, c->lang, &spaces);
		remarks_of(f, c->lang, &remarks);
		fprintf(c->out, "| %s%s%s | `%s` | %s | %s | %s |\n", code, f->code != f->last ? "-" : "",
			f->code != f->last ? last : "", f->name, classes.text, spaces.text, remarks.text);
	}
}

static void reasons_print(struct cli *c, const struct protocol_info *info)
{
	message_print(c->out, c->lang, M_PROTOCOLS_REASONS);
	for (enum reason r = next_reason(info, R_NONE); r < REASON_COUNT; r = next_reason(info, r))
		fprintf(c->out, "| `%s` | %s |\n", reason_word(r), reason_text(r, lang_name(c->lang)));
}

static void protocol_print(struct cli *c, enum protocol p)
{
	const struct vocabulary *v = vocabulary_of(p);
	char first[CODE_TEXT], last[CODE_TEXT];

	if (v == NULL) {
		render_line(c, M_PROTOCOLS_NONE, protocol_info(p)->name);
		return;
	}
	targets_print(c, v);
	spaces_print(c, v);
	functions_print(c, v);
	code_text(v, v->code_first, first);
	code_text(v, v->code_last, last);
	message_print(c->out, c->lang, M_PROTOCOLS_REST, first, last, (unsigned long long)v->value_max);
	reasons_print(c, protocol_info(p));
}

/* How reliable the recognition of this protocol is. */
static const char *worth_of(const struct cli *c, enum protocol_depth d)
{
	static const enum message texts[] = {
		[DEPTH_TRANSPORT] = M_PROTOCOLS_UNREAD,
		[DEPTH_NDPI] = M_PROTOCOLS_GUESS,
		[DEPTH_RECOGNISED] = M_PROTOCOLS_RECOGNISED,
		[DEPTH_COMMANDS] = M_PROTOCOLS_COMMANDS,
	};

	return message_format(texts[d], c->lang);
}

static void head_print(const struct cli *c, struct table *t)
{
	static const enum message heads[] = { M_PROTOCOLS_NAME, M_PROTOCOLS_TRANSPORTS, M_PROTOCOLS_BYTES,
					      M_PROTOCOLS_WORTH };
	table_head(t, c->lang, heads);
	table_right(t, 2);
}

static void bytes_print(const struct cli *c, struct table *t, uint32_t bytes)
{
	if (bytes == UNMEASURED)
		table_cell(t, message_format(M_PROTOCOLS_UNMEASURED, c->lang));
	else
		table_cellf(t, "%" PRIu32, bytes);
}

/* Whether the list contains it: names of nDPI only with --all. */
static bool is_listed(enum protocol p, bool all)
{
	return all || protocol_info(p)->depth != DEPTH_NDPI;
}

static void list_print(struct cli *c, bool all)
{
	struct table *t = table_new(all ? 4 : 3, 0);

	if (all)
		head_print(c, t);
	for (enum protocol p = 1; protocol_known(p); p++) {
		const struct protocol_info *info = protocol_info(p);
		struct words transports = { .n = 0 };

		if (!is_listed(p, all))
			continue;
		transports_of(info->transports, &transports);
		table_cell(t, info->name);
		table_cell(t, transports.text);
		if (all)
			bytes_print(c, t, protocol_undecided(p));
		table_cell(t, worth_of(c, info->depth));
	}
	(void)table_end(t, c->out, c->color);
}

int verb_protocols(struct cli *c, const struct cli_args *a)
{
	bool all = a->values[OPT_PROTOCOLS_ALL] != NULL;
	enum protocol p = a->n_operands > 0 ? protocol_by_name(a->operands[0]) : PROTO_NONE;

	if (a->n_operands > 0 && p == PROTO_NONE)
		return cli_fail(c, CLI_INVALID, M_PROTOCOLS_UNKNOWN, a->operands[0]);
	if (c->json) {
		json_t *list = json_array();

		for (enum protocol i = 1; protocol_known(i); i++)
			if (p == PROTO_NONE ? is_listed(i, all) : p == i)
				json_array_append_new(list, protocol_json(i));
		json_line(c->out, json_pack("{s:o}", "protocols", list));
	} else if (p != PROTO_NONE) {
		protocol_print(c, p);
	} else {
		list_print(c, all);
	}
	return CLI_YES;
}
