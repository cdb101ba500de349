/* SPDX-License-Identifier: Apache-2.0 */
/* The proposal as lines of a policy for people, and as JSON. */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dpi/decode.h"
#include "mgmt/cli/learn/proposal.h"
#include "mgmt/cli/screen/wrap.h"
#include "policy/compile/compile.h"

#define REVIEW_DAYS 90u

struct addr proposal_network(const struct addr *a)
{
	struct addr net = *a;

	memset(net.b + (a->family == 4 ? 3 : 8), 0, a->family == 4 ? 13 : 8);
	return net;
}

/* ---- as text --------------------------------------------------------------------------------- */

/* The first number for "learnt-" names that the policy does not have yet. */
static size_t first_number(const struct model *m)
{
	unsigned long long most = 0, n;

	for (size_t i = 0; m != NULL && i < m->n_conduits + m->n_services; i++) {
		const char *name = i < m->n_conduits ? m->conduits[i].name : m->services[i - m->n_conduits].name;

		if (strncmp(name, "learnt-", 7) == 0 && cli_number(name + 7, 1000000000u, &n) && n > most)
			most = n;
	}
	return (size_t)most + 1;
}

static void port_text(const struct line *l, char out[16])
{
	if (l->l4proto == IP_ICMP)
		snprintf(out, 16, "icmp/%u", (unsigned)l->port >> 8);
	else
		snprintf(out, 16, "%s/%u", l->l4proto == IP_TCP ? "tcp" : "udp", l->port);
}

/* "2027-03-31"; with `whole` also the time of day. */
static void time_text(uint64_t ns, bool whole, char *out, size_t size)
{
	time_t t = (time_t)(ns / NS);
	struct tm tm;

	out[0] = '\0';
	if (gmtime_r(&t, &tm) == NULL)
		return;
	if (whole)
		strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
	else
		strftime(out, size, "%Y-%m-%d", &tm);
}

struct count {
	enum message text;
	const char *key;
	uint64_t n;
};

#define COUNTS 18

static void counts_of(const struct proposal *p, struct count out[COUNTS])
{
	const struct tally *y = &p->learnt->tally;
	const struct count list[COUNTS] = {
		{ M_LEARN_N_LOST, "lost", y->lost },
		{ M_LEARN_N_MISSED, "lost_by_card", y->missed },
		{ M_LEARN_N_TALKS_LEFT, "sessions_left_out", y->talks_left },
		{ M_LEARN_N_ACTS_LEFT, "requests_left_out", y->acts_left },
		{ M_LEARN_N_UNCLEAR, "unclear", p->unclear },
		{ M_LEARN_N_MISFITS, "misfits", y->misfits },
		{ M_LEARN_N_REFUSED, "refused", y->refused },
		{ M_LEARN_N_NO_ROW, "in_no_row", y->no_row },
		{ M_LEARN_N_HALVES, "seen_by_half", y->halves },
		{ M_LEARN_N_WITHIN, "within_a_zone", p->within },
		{ M_LEARN_N_NOWHERE, "in_no_zone", p->nowhere },
		{ M_LEARN_N_ALLOWED, "allowed_already", p->allowed },
		{ M_LEARN_N_UNANSWERED, "unanswered", y->unanswered },
		{ M_LEARN_N_NOT_UNICAST, "not_unicast", y->not_unicast },
		{ M_LEARN_N_NOT_IP, "not_ip", y->not_ip },
		{ M_LEARN_N_CUT, "cut", y->cut },
		{ M_LEARN_N_COPIES, "copies", y->copies },
		{ M_LEARN_N_GUESSED, "guessed", 0 },
	};

	memcpy(out, list, sizeof(list));
	for (size_t i = 0; i < p->n; i++)
		out[COUNTS - 1].n += p->lines[i].guessed;
}

static void print_head(const struct proposal *p, const char *from)
{
	const struct tally *y = &p->learnt->tally;
	struct count counts[COUNTS];
	struct cli *c = p->cli;
	char first[32], last[32], *name = text_safe(from);
	uint64_t names, printed;

	time_text(y->first_ns, true, first, sizeof(first));
	time_text(y->last_ns, true, last, sizeof(last));
	message_print(c->out, c->lang, M_LEARN_HEAD, name != NULL ? name : "?", first, last,
		      (unsigned long long)y->frames);
	free(name);
	counts_of(p, counts);
	for (size_t i = 0; i < COUNTS; i++)
		if (counts[i].n > 0)
			message_print(c->out, c->lang, counts[i].text, (unsigned long long)counts[i].n);
	if (p->tags != NULL) {
		tag_names_count(p->tags, &names, &printed);
		message_print(c->out, c->lang, M_LEARN_N_NAMES, (unsigned long long)printed, (unsigned long long)names);
	}
	if (p->n == 0 && y->refused == 0)
		message_print(c->out, c->lang, M_LEARN_NOTHING);
}

static int name_cmp(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Prints the zones that no policy has named yet, each once. */
static bool print_zones(struct proposal *p)
{
	const char **names = arena_array(p->arena, p->n * 2 + 1, sizeof(*names));
	FILE *to = p->cli->out;
	size_t n = 0, lan = 0;
	struct addr net;
	char text[ADDR_TEXT];

	if (names == NULL)
		return false;
	for (size_t i = 0; i < p->n; i++) {
		names[n++] = p->lines[i].from;
		names[n++] = p->lines[i].to;
	}
	qsort(names, n, sizeof(*names), name_cmp);
	message_print(to, p->cli->lang, M_LEARN_ZONES);
	if (p->n_split > 0)
		message_print(to, p->cli->lang, M_LEARN_BY_HOST);
	fputs("language_version = 1;\n\nzones = {\n", to);
	for (size_t i = 0; i < n; i++) {
		const struct line *l = p->lines;
		const struct addr *end;
		bool host = strncmp(names[i], HOST_ZONE, strlen(HOST_ZONE)) == 0;

		if (i > 0 && strcmp(names[i], names[i - 1]) == 0)
			continue;
		while (strcmp(l->from, names[i]) != 0 && strcmp(l->to, names[i]) != 0)
			l++;
		end = strcmp(l->from, names[i]) == 0 ? &l->client : &l->server;
		net = host ? *end : proposal_network(end);
		addr_text(&net, text);
		if (strcmp(names[i], "outside") == 0)
			fprintf(to, "  outside = { interfaces = [\"wan0\"]; networks = [\"rest\"]; class = "
				    "\"external\"; owner = \"?\"; };\n");
		else if (host)
			fprintf(to, "  %s = { interfaces = [\"lan%zu\"]; networks = [\"%s\"]; };\n", names[i], lan++,
				text);
		else
			fprintf(to, "  %s = { interfaces = [\"lan%zu\"]; networks = [\"%s/%u\"]; };\n", names[i], lan++,
				text, net.family == 4 ? 24u : 64u);
	}
	fputs("};\n", to);
	return true;
}

static void print_rows(const struct proposal *p, const struct allowed *rows)
{
	FILE *to = p->cli->out;
	const uint64_t *seen = rows->seen;

	fputs("\n    allow = (", to);
	for (const char *at = rows->text; *at != '\0'; at++)
		if (*at == ROW_COUNT)
			message_print(to, p->cli->lang, M_LEARN_SEEN, (unsigned long long)*seen++);
		else
			fputc(*at, to);
	fputs(" );", to);
}

static void print_services(const struct proposal *p, size_t number)
{
	FILE *to = p->cli->out;
	char port[16];

	for (size_t i = 0; i < p->n; i++) {
		const struct line *l = &p->lines[i];

		if (i > 0 && l->service == l[-1].service)
			continue;
		port_text(l, port);
		fprintf(to, "  learnt-%zu = { protocol = \"%s\"; ports = [\"%s\"];", number + l->service,
			protocol_info(l->protocol)->name, port);
		if (l->undecided > 0 && l->guess == PROTO_NONE)
			fprintf(to, " undecided_bytes = %" PRIu32 ";", l->undecided);
		if (l->rows.n > 0)
			print_rows(p, &l->rows);
		fputs(" };\n", to);
	}
}

static void print_conduits(const struct proposal *p, size_t number)
{
	const struct cli *c = p->cli;
	const char *approved = p->model != NULL && p->model->strict_ledger ? " approved_by = \"?\";" : "";
	char review[16], purpose[160];

	time_text(((uint64_t)time(NULL) + REVIEW_DAYS * 86400u) * NS, false, review, sizeof(review));
	for (size_t i = 0; i < p->n; i++) {
		const struct line *l = &p->lines[i];

		message_text(purpose, sizeof(purpose), c->lang, M_LEARN_PURPOSE, (unsigned long long)l->sessions);
		if (line_is_inside(l))
			message_print(c->out, c->lang, M_LEARN_INSIDE);
		if (protocol_info(l->protocol)->depth == DEPTH_TRANSPORT && l->l4proto != IP_ICMP)
			message_print(c->out, c->lang, M_LEARN_NOT_NAMED);
		if (l->guess != PROTO_NONE)
			message_print(c->out, c->lang, M_LEARN_GUESS, protocol_info(l->guess)->name, l->undecided);
		if (l->protocol == PROTO_S7COMM_PLUS)
			message_print(c->out, c->lang, M_LEARN_PLUS);
		if (l->guessed > 0)
			message_print(c->out, c->lang, M_LEARN_GUESSED, (unsigned long long)l->guessed);
		fprintf(c->out,
			"  { name = \"learnt-%zu\"; from = \"%s\"; to = \"%s\";\n    sources = [%s];\n    destinations "
			"= [%s];\n"
			"    services = [\"learnt-%zu\"]; mode = \"observe\";\n"
			"    purpose = \"%s\"; owner = \"?\";%s review_by = \"%s\"; }%s\n",
			number + i, l->from, l->to, l->sources, l->destinations, number + l->service, purpose, approved,
			review, i + 1 < p->n ? "," : "");
	}
}

bool proposal_text(struct proposal *p, const char *from)
{
	size_t number = first_number(p->model);
	FILE *to = p->cli->out;

	print_head(p, from);
	if (p->n == 0)
		return true;
	if (p->model != NULL) {
		message_print(to, p->cli->lang, M_LEARN_INTO_SERVICES);
		print_services(p, number);
		message_print(to, p->cli->lang, M_LEARN_INTO_CONDUITS);
		print_conduits(p, number);
		return true;
	}
	if (!print_zones(p))
		return false;
	fputs("\nservices = {\n", to);
	print_services(p, number);
	fputs("};\n\nconduits = (\n", to);
	print_conduits(p, number);
	fputs(");\n", to);
	return true;
}

/* ---- as JSON --------------------------------------------------------------------------------- */

/* The quoted texts of a list. */
static json_t *json_list(const char *list)
{
	json_t *a = json_array();

	while (list != NULL && (list = strchr(list, '"')) != NULL) {
		size_t n = strcspn(list + 1, "\"");

		json_array_append_new(a, json_stringn(list + 1, n));
		list += n + 2;
	}
	return a;
}

static json_t *json_seen(const struct allowed *rows)
{
	json_t *a = json_array();

	for (size_t i = 0; i < rows->n; i++)
		json_array_append_new(a, json_integer((json_int_t)rows->seen[i]));
	return a;
}

void proposal_json(const struct proposal *p)
{
	const struct tally *y = &p->learnt->tally;
	json_t *j = json_object(), *left = json_object(), *lines = json_array();
	struct count counts[COUNTS];

	counts_of(p, counts);
	for (size_t i = 0; i < COUNTS; i++)
		json_object_set_new(left, counts[i].key, json_integer((json_int_t)counts[i].n));
	for (size_t i = 0; i < p->n; i++) {
		const struct line *l = &p->lines[i];
		char port[16];

		port_text(l, port);
		json_array_append_new(
			lines, json_pack("{s:s,s:s,s:o,s:o,s:s,s:s*,s:s,s:I,s:s,s:I,s:o,s:I,s:I}", "from", l->from,
					 "to", l->to, "sources", json_list(l->sources), "destinations",
					 json_list(l->destinations), "protocol", protocol_info(l->protocol)->name,
					 "guess", l->guess != PROTO_NONE ? protocol_info(l->guess)->name : NULL, "port",
					 port, "undecided_bytes", (json_int_t)l->undecided, "allow",
					 l->rows.text + strspn(l->rows.text, "\n "), "wide_rows",
					 (json_int_t)l->rows.wide, "seen", json_seen(&l->rows), "sessions",
					 (json_int_t)l->sessions, "guessed", (json_int_t)l->guessed));
	}
	json_object_set_new(j, "first", json_time(y->first_ns));
	json_object_set_new(j, "last", json_time(y->last_ns));
	json_object_set_new(j, "frames", json_integer((json_int_t)y->frames));
	json_object_set_new(j, "counts", left);
	json_object_set_new(j, "conduits", lines);
	json_line(p->cli->out, j);
}

/* ---- names of hosts -------------------------------------------------------------------------- */

const char *named_host(const struct model *m, const char *zone, const struct addr *host)
{
	for (size_t i = 0; m != NULL && i < m->n_assets; i++) {
		const struct model_asset *a = &m->assets[i];

		if (a->n_ranges == 1 && addr_cmp(&a->ranges[0].lo, host) == 0 &&
		    addr_cmp(&a->ranges[0].hi, host) == 0 && strcmp(a->zone->name, zone) == 0)
			return a->name;
	}
	return NULL;
}

/* The policy was checked: groups are not circular, and only '*' is special in a pattern. */
static bool holds(const struct ast_node *groups, const struct ast_node *group, const char *asset)
{
	for (const struct ast_node *word = group->child; word != NULL; word = word->next) {
		const struct ast_node *inner = groups->child;

		while (inner != NULL && strcmp(inner->name, word->string) != 0)
			inner = inner->next;
		if (inner != NULL ? holds(groups, inner, asset) : fnmatch(word->string, asset, 0) == 0)
			return true;
	}
	return false;
}

const char *named_group(const struct model *m, const struct ast_node *groups, const char *const *assets, size_t n)
{
	for (const struct ast_node *g = groups != NULL ? groups->child : NULL; g != NULL; g = g->next) {
		size_t all = 0, meant = 0;

		for (size_t i = 0; i < n && meant == i; i++)
			meant += holds(groups, g, assets[i]);
		for (size_t i = 0; meant == n && i < m->n_assets; i++)
			all += holds(groups, g, m->assets[i].name);
		if (meant == n && all == n)
			return g->name;
	}
	return NULL;
}

/* ---- the check ------------------------------------------------------------------------------- */

struct proposed {
	const char *text;
	size_t size;
};

static int load(void *ctx, const char *name, struct arena *a, struct source_text *ret)
{
	const struct proposed *p = ctx;

	if (strcmp(name, "proposal") != 0)
		return -ENOENT;
	if (p->size > SOURCE_MAX)
		return -EFBIG;
	*ret = (struct source_text){ .name = "proposal", .text = p->text, .size = p->size };
	return 0;
}

static void reason(struct diags *d, enum lang lang, char *why, size_t size)
{
	diags_sort(d);
	for (size_t i = 0; i < d->n; i++) {
		const struct diag *g = d->list[i];

		if (g->severity != SEV_ERROR)
			continue;
		if (g->at.line > 0)
			snprintf(why, size, "%u: %s", g->at.line, g->text[lang]);
		else
			snprintf(why, size, "%s", g->text[lang]);
		return;
	}
}

bool proposal_checked(const char *text, size_t size, enum lang lang, char *why, size_t why_size)
{
	struct proposed proposed = { text, size };
	struct policy_loader loader = { .load = load, .ctx = &proposed };
	struct compilation c = { .arena = arena_new(COMPILE_BUDGET) };
	bool ok;

	snprintf(why, why_size, "?");
	if (c.arena == NULL)
		return false;
	ok = policy_check(&c, &loader, "proposal") && policy_lower(&c);
	if (!ok)
		reason(&c.diags, lang, why, why_size);
	arena_free(c.arena);
	return ok;
}
