/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/learn/propose.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/arena.h"
#include "appliance/wire/notation.h"
#include "appliance/wire/operation.h"
#include "dpi/decode.h"
#include "mgmt/cli/learn/named.h"
#include "mgmt/cli/screen/width.h"
#include "policy/ir/evaluate.h"
#include "policy/ir/moment.h"

#define NS 1000000000u
#define REVIEW_DAYS 90u
#define BUDGET (192u << 20)
#define NEXT_ROW "\n      "
#define PLACES_MAX 1024u /* that one row lists */

/* One conduit to be: at first of one client and one server, then of those that can be joined. */
struct line {
	const char *from, *to;
	struct addr client, server;
	uint8_t l4proto;
	uint16_t port;
	enum protocol protocol, guess;
	const char *rows;		    /* of `allow`, "" = there are none */
	size_t wide;			    /* of them: allow more than was seen, which a comment says */
	const char *sources, *destinations; /* "10.0.0.1", "rtg01.plc" in quotes; NULL: not joined yet */
	uint64_t sessions, guessed;
	uint32_t undecided; /* bytes, the most of a line of its service */
	size_t service;	    /* its first line has the same */
};

struct proposal {
	struct cli *cli;
	struct arena *arena;
	const struct learnt *learnt;
	const struct model *model;
	struct ir *ir;
	const struct ast_node *groups;
	struct addr *split; /* networks of which hosts are zones of their own, sorted */
	size_t n_split;
	struct line *lines;
	size_t n;
	uint64_t allowed, within, nowhere, unclear; /* sessions that need no line, or of which none can be made */
};

/* ---- zones ---------------------------------------------------------------------------------------------------------------- */

static bool is_private(const struct addr *a)
{
	static const char *const nets[] = { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10" };
	struct addr_range r;
	bool stray;

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if (prefix_parse(nets[i], &r, &stray) && addr_in(a, &r))
			return true;
	return a->family == 6;
}

/* The network of an address where no policy names zones: 24 bits of IPv4, 64 of IPv6. */
static struct addr network(const struct addr *a)
{
	struct addr net = *a;

	memset(net.b + (a->family == 4 ? 3 : 8), 0, a->family == 4 ? 13 : 8);
	return net;
}

static int addr_order(const void *x, const void *y)
{
	return addr_cmp(x, y);
}

/* It speaks to all hosts of its network, and no box passes that on. */
static bool is_for_all(const struct addr *a)
{
	return a->family == 4 && a->b[3] == 255;
}

static bool is_within(const struct talk *t)
{
	struct addr a = network(&t->client), b = network(&t->server);

	return addr_cmp(&a, &b) == 0 && addr_cmp(&t->client, &t->server) != 0;
}

/* Without a policy nobody knows where the box is to stand. Where hosts of one network talk, it may be between them. */
static bool split_networks(struct proposal *p)
{
	size_t n = 0;

	p->split = arena_array(p->arena, p->learnt->n_talks + 1, sizeof(*p->split));
	if (p->split == NULL || p->model != NULL)
		return p->split != NULL;
	for (size_t i = 0; i < p->learnt->n_talks; i++)
		if (is_within(&p->learnt->talks[i]) && !is_for_all(&p->learnt->talks[i].server))
			p->split[n++] = network(&p->learnt->talks[i].client);
	qsort(p->split, n, sizeof(*p->split), addr_order);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || addr_cmp(&p->split[i], &p->split[p->n_split - 1]) != 0)
			p->split[p->n_split++] = p->split[i];
	return true;
}

#define HOST_ZONE "host-"

/* "host-10-30-1-10" */
static const char *host_zone(struct arena *a, const struct addr *host)
{
	char text[ADDR_TEXT];

	addr_text(host, text);
	for (char *c = text; *c != '\0'; c++)
		if (*c == '.' || *c == ':')
			*c = '-';
	return arena_printf(a, HOST_ZONE "%s", text);
}

/* NULL: it lies in no zone of the policy, or memory is out. */
static const char *zone_of(const struct proposal *p, const struct addr *a)
{
	struct addr net = network(a);
	const struct model *m = p->model;

	for (size_t z = 0; m != NULL && z < m->n_zones; z++)
		for (size_t i = 0; i < m->zones[z].n_ranges; i++)
			if (addr_in(a, &m->zones[z].ranges[i]))
				return m->zones[z].name;
	if (m != NULL)
		return NULL;
	if (bsearch(&net, p->split, p->n_split, sizeof(net), addr_order) != NULL)
		return host_zone(p->arena, a);
	if (!is_private(a))
		return "outside";
	if (a->family == 4)
		return arena_printf(p->arena, "net-%u-%u-%u", net.b[0], net.b[1], net.b[2]);
	return arena_printf(p->arena, "net-%x-%x-%x-%x", net.b[0] << 8 | net.b[1], net.b[2] << 8 | net.b[3],
			    net.b[4] << 8 | net.b[5], net.b[6] << 8 | net.b[7]);
}

/* ---- rows ----------------------------------------------------------------------------------------------------------------- */

/* "a,b" as "a", "b" in quotes. */
static void print_quoted(FILE *to, const char *list)
{
	fputc('"', to);
	for (; *list != '\0'; list++)
		*list == ',' ? (void)fputs("\", \"", to) : (void)fputc(*list, to);
	fputc('"', to);
}

static bool touches(const struct function_info *f)
{
	return f == NULL || f->spaces != 0 || (f->untold & UNTOLD_PLACE) != 0;
}

/* The acts of one row: they differ in where, and not in what is asked of whom. A row is one, since some requests need one row for all of it. */
static size_t row_end(const struct act *acts, size_t n)
{
	size_t end = 1;

	while (end < n && acts[end].function == acts[0].function && acts[end].half == acts[0].half &&
	       memcmp(acts[end].targets, acts[0].targets, sizeof(acts[0].targets)) == 0)
		end++;
	return end;
}

/* Whether the row names addresses: all of them are known, and they are not too many. */
static bool has_places(const struct vocabulary *v, const struct act *acts, size_t n)
{
	const struct function_info *f = function_by_code(v, acts->function);
	bool some = false;

	if (f == NULL || (f->untold & UNTOLD_PLACE) != 0 || n > PLACES_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (acts[i].unknown)
			return false;
		some |= acts[i].space != SPACE_NONE;
	}
	return some;
}

/* It reads here and writes there: the row allows both everywhere. */
static bool is_mixed(const struct vocabulary *v, const struct act *acts, size_t n)
{
	const struct function_info *f = function_by_code(v, acts->function);
	bool several = false;

	for (size_t i = 0; i < n; i++)
		several |= acts[i].turn > 0;
	return several && f != NULL && __builtin_popcount(f->classes) > 1;
}

static void print_comment(FILE *to, enum lang lang, enum message text, const char *word)
{
	if (to == NULL)
		return;
	message_print(to, lang, text, word);
	fputs(NEXT_ROW, to);
}

/* A comment above the row for each thing that it allows more of than was seen. True: there is one. `to` NULL: it is only asked. */
static bool print_wide(FILE *to, enum lang lang, const struct vocabulary *v, const struct act *acts, size_t n)
{
	bool wide = false, places = has_places(v, acts, n);

	for (unsigned i = 0; i < v->n_targets; i++) {
		if (acts->targets[i] != LEARNT_NO_TARGET)
			continue;
		wide = true;
		print_comment(to, lang, M_LEARN_ANY_TARGET, lang == LANG_JA ? v->targets[i].ja : v->targets[i].one);
	}
	if (places && is_mixed(v, acts, n)) {
		wide = true;
		print_comment(to, lang, M_LEARN_MIXED, "");
	} else if (!places && touches(function_by_code(v, acts->function))) {
		wide = true;
		print_comment(to, lang, M_LEARN_ANY_PLACE, "");
	}
	return wide;
}

static int lowest_cmp(const void *x, const void *y)
{
	const struct number_range *a = x, *b = y;

	return a->lo != b->lo ? (a->lo > b->lo) - (a->lo < b->lo) : (a->hi > b->hi) - (a->hi < b->hi);
}

/*
 * The addresses of acts of one space, which are neighbours, at least one. Those that touch are one
 * range, unless they are paths to different things.
 */
static void print_places(FILE *to, const struct learnt *l, const struct space_info *s, const struct act *acts, size_t n)
{
	bool is_path = s->named || s->parts[0].bits != 0;
	struct notation notation = notation_of_space(s);
	struct number_range r[PLACES_MAX] = { { acts->lowest, acts->highest } };
	char text[NOTATION_TEXT];
	size_t last = 0;

	for (size_t i = 1; i < n; i++)
		r[i] = (struct number_range){ acts[i].lowest, acts[i].highest };
	qsort(r, n, sizeof(r[0]), lowest_cmp);
	for (size_t i = 1; i < n; i++) {
		if (r[i].lo > r[last].hi && (is_path || r[i].lo - r[last].hi > 1))
			r[++last] = r[i];
		else if (r[i].hi > r[last].hi)
			r[last].hi = r[i].hi;
	}
	fprintf(to, " %s = [", s->key);
	for (size_t i = 0; i <= last; i++) {
		const char *name = s->named ? learnt_name_of(l, r[i].lo) : NULL;

		notation_text(&notation, r[i], text);
		fputs(i > 0 ? ", " : "", to);
		print_quoted(to, name != NULL ? name : text);
	}
	fputs("];", to);
}

/* `names`: with a comment where the code of a function says less than its name. */
static void print_row(FILE *to, const struct learnt *l, const struct vocabulary *v, const struct act *acts, size_t n,
		      bool names)
{
	const struct function_info *f = function_by_code(v, acts->function);
	char code[CODE_TEXT], text[NOTATION_TEXT];
	struct notation notation;

	code_text(v, acts->function, code);
	fprintf(to, "{ functions = [\"%s\"];", f != NULL && f->code == f->last ? f->name : code);
	if (names && f != NULL && f->code != f->last)
		fprintf(to, " /* %s */", f->name);
	for (unsigned i = 0; i < v->n_targets; i++) {
		if (acts->targets[i] == LEARNT_NO_TARGET)
			continue;
		notation = notation_of_target(&v->targets[i]);
		notation_text(&notation, (struct number_range){ acts->targets[i], acts->targets[i] }, text);
		fprintf(to, " %s = [", v->targets[i].key);
		print_quoted(to, text);
		fputs("];", to);
	}
	for (size_t i = 0, end; has_places(v, acts, n) && i < n; i = end) {
		for (end = i + 1; end < n && acts[end].space == acts[i].space; end++)
			;
		if (acts[i].space != SPACE_NONE)
			print_places(to, l, &v->spaces[acts[i].space], acts + i, end - i);
	}
	fputs(" }", to);
}

/* What a stream collected, in the arena; NULL when memory is out. */
static const char *collected(struct proposal *p, FILE *to, char **text)
{
	const char *kept = NULL;

	if (fclose(to) == 0 && *text != NULL)
		kept = arena_strndup(p->arena, *text, strlen(*text));
	free(*text);
	return kept;
}

/* What was seen by half is said above the rows, and is none. */
static void print_halves(FILE *to, enum lang lang, const struct vocabulary *v, const struct act *acts, size_t n)
{
	for (size_t i = 0, rows; i < n; i += rows) {
		const struct function_info *f = function_by_code(v, acts[i].function);

		rows = row_end(acts + i, n - i);
		if (!acts[i].half)
			continue;
		fputs(NEXT_ROW, to);
		message_print(to, lang, M_LEARN_HALF, f != NULL ? f->name : "?");
	}
}

/* `acts` has one at least that makes a row. */
static const char *rows_of(struct proposal *p, const struct act *acts, size_t n, size_t *ret_wide)
{
	const struct vocabulary *v = vocabulary_of(acts->protocol);
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	const char *before = "";

	*ret_wide = 0;
	if (to == NULL)
		return NULL;
	if (!p->cli->json)
		print_halves(to, p->cli->lang, v, acts, n);
	for (size_t i = 0, rows; i < n; i += rows) {
		rows = row_end(acts + i, n - i);
		if (acts[i].half)
			continue;
		fprintf(to, "%s%s", before, NEXT_ROW);
		before = ",";
		*ret_wide += print_wide(p->cli->json ? NULL : to, p->cli->lang, v, acts + i, rows);
		print_row(to, p->learnt, v, acts + i, rows, !p->cli->json);
	}
	return collected(p, to, &text);
}

/* ---- lines ---------------------------------------------------------------------------------------------------------------- */

static bool same_ends(const struct talk *a, const struct talk *b)
{
	return a->port == b->port && a->l4proto == b->l4proto && addr_cmp(&a->client, &b->client) == 0 &&
	       addr_cmp(&a->server, &b->server) == 0;
}

/*
 * Sessions that told nothing of what they spoke (no data, or met half-way) are of a kind with those of the same ends that did. Where another
 * client's sessions with that server show commands, a line without rows would allow all of them: rather none.
 */
static bool is_covered(const struct learnt *l, size_t i, bool *ret_unclear)
{
	const struct talk *t = &l->talks[i], *o = l->talks;

	*ret_unclear = false;
	if (t->protocol != PROTO_NONE)
		return false;
	if (i + 1 < l->n_talks && same_ends(t, &l->talks[i + 1]))
		return true;
	for (size_t k = 0; k < l->n_talks && !*ret_unclear; k++, o++)
		*ret_unclear = o->port == t->port && o->l4proto == t->l4proto &&
			       protocol_info(o->protocol)->depth == DEPTH_COMMANDS &&
			       addr_cmp(&o->server, &t->server) == 0;
	return false;
}

static bool is_allowed(const struct proposal *p, const struct talk *t)
{
	const struct question q = { .source = t->client,
				    .destination = t->server,
				    .l4proto = t->l4proto,
				    .port = t->port,
				    .now = t->sessions > 0 ? p->learnt->tally.last_ns / NS : 0 };

	if (p->ir == NULL)
		return false;
	ir_follow(p->ir, q.now);
	return evaluate_ir(p->ir, &q) != NULL;
}

static enum protocol named(const struct talk *t)
{
	if (t->protocol != PROTO_NONE)
		return t->protocol;
	return t->l4proto == IP_TCP ? PROTO_TCP : t->l4proto == IP_UDP ? PROTO_UDP : PROTO_ICMP;
}

static bool add_line(struct proposal *p, size_t i)
{
	const struct talk *t = &p->learnt->talks[i];
	struct line *l = &p->lines[p->n];
	const struct act *acts;
	bool unclear, other;
	size_t n_acts, grants = 0;

	if (is_covered(p->learnt, i, &unclear))
		return true;
	*l = (struct line){ .from = zone_of(p, &t->client),
			    .to = zone_of(p, &t->server),
			    .client = t->client,
			    .server = t->server,
			    .l4proto = t->l4proto,
			    .port = t->port,
			    .protocol = named(t),
			    .rows = "",
			    .guess = t->guess,
			    .undecided = t->undecided,
			    .sessions = t->sessions,
			    .guessed = t->guessed };
	acts = learnt_acts_of(p->learnt, t, &n_acts);
	for (size_t k = 0; k < n_acts; k++)
		grants += !acts[k].half;
	/* Port 0 is none that a policy can name. */
	unclear = unclear || (t->port == 0 && (t->l4proto == IP_TCP || t->l4proto == IP_UDP)) ||
		  (protocol_info(l->protocol)->depth == DEPTH_COMMANDS && grants == 0) ||
		  (t->protocol == PROTO_NONE && t->cut == t->sessions);
	other = t->l4proto != IP_TCP && t->l4proto != IP_UDP && t->port >> 8 != 8 && t->port >> 8 != 128;
	if (arena_failed(p->arena))
		return false;
	if (l->from == NULL || l->to == NULL)
		p->nowhere += t->sessions;
	else if (strcmp(l->from, l->to) == 0 || (p->model == NULL && is_within(t) && is_for_all(&t->server)))
		p->within += t->sessions;
	else if (is_allowed(p, t))
		p->allowed += t->sessions;
	else if (unclear || other)
		p->unclear += t->sessions;
	else
		p->n++;
	if (grants > 0)
		l->rows = rows_of(p, acts, n_acts, &l->wide);
	if (l->l4proto == IP_ICMP6) { /* the policy's icmp/8 is both families' echo */
		l->l4proto = IP_ICMP;
		l->port = 8u << 8;
	}
	return l->rows != NULL;
}

/* By service, then by zones. */
static int kind_cmp(const struct line *a, const struct line *b)
{
	int r = (int)a->protocol - (int)b->protocol;

	r = r != 0 ? r : (int)a->l4proto - (int)b->l4proto;
	r = r != 0 ? r : (int)a->port - (int)b->port;
	return r != 0 ? r : strcmp(a->rows, b->rows);
}

static int zones_cmp(const struct line *a, const struct line *b)
{
	int r = kind_cmp(a, b);

	r = r != 0 ? r : strcmp(a->from, b->from);
	return r != 0 ? r : strcmp(a->to, b->to);
}

static int by_server(const void *x, const void *y)
{
	const struct line *a = x, *b = y;
	int r = zones_cmp(a, b);

	r = r != 0 ? r : addr_cmp(&a->server, &b->server);
	return r != 0 ? r : addr_cmp(&a->client, &b->client);
}

static int by_sources(const void *x, const void *y)
{
	const struct line *a = x, *b = y;
	int r = zones_cmp(a, b);

	r = r != 0 ? r : strcmp(a->sources, b->sources);
	return r != 0 ? r : addr_cmp(&a->server, &b->server);
}

static bool joins(const struct line *a, const struct line *b, bool servers)
{
	if (zones_cmp(a, b) != 0)
		return false;
	return servers ? strcmp(a->sources, b->sources) == 0 : addr_cmp(&a->server, &b->server) == 0;
}

/* Lines with the same service stand together: they get one number, and the first what all of them need. */
static void number_services(struct proposal *p)
{
	size_t first = 0;

	for (size_t i = 1; i < p->n; i++) {
		struct line *l = &p->lines[i];

		l->service = l[-1].service + (kind_cmp(l, l - 1) != 0);
		if (l->service != l[-1].service)
			first = i;
		else if (p->lines[first].undecided < l->undecided)
			p->lines[first].undecided = l->undecided;
	}
}

/* One end of `n` lines, of which neighbours may have the same: its hosts by the policy's names, in quotes; NULL when memory is out. */
static const char *hosts_of(struct proposal *p, const struct line *lines, size_t n, bool servers)
{
	const char **names = arena_array(p->arena, n, sizeof(*names)), *zone = servers ? lines->to : lines->from,
		   *group;
	const struct addr *before = NULL;
	size_t hosts = 0, named = 0, size;
	char *text = NULL, addr[ADDR_TEXT];
	FILE *to = names != NULL ? open_memstream(&text, &size) : NULL;

	if (to == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const struct addr *a = servers ? &lines[i].server : &lines[i].client;

		if (before != NULL && addr_cmp(before, a) == 0)
			continue;
		before = a;
		names[hosts] = named_host(p->model, zone, a);
		named += names[hosts] != NULL;
		addr_text(a, addr);
		fprintf(to, "%s\"%s\"", hosts == 0 ? "" : ", ", names[hosts] != NULL ? names[hosts] : addr);
		hosts++;
	}
	group = hosts > 1 && named == hosts ? named_group(p->model, p->groups, names, hosts) : NULL;
	if (group == NULL)
		return collected(p, to, &text);
	fclose(to);
	free(text);
	return arena_printf(p->arena, "\"%s\"", group);
}

/* Neighbours that differ in one end only become one line with all of these ends. */
static bool join(struct proposal *p, bool servers)
{
	size_t n = 0;

	qsort(p->lines, p->n, sizeof(*p->lines), servers ? by_sources : by_server);
	for (size_t i = 0, end; i < p->n; i = end) {
		struct line l = p->lines[i];

		l.sessions = l.guessed = 0;
		for (end = i; end < p->n && joins(&p->lines[i], &p->lines[end], servers); end++) {
			const struct line *o = &p->lines[end];

			if (l.guess == PROTO_NONE)
				l.guess = o->guess;
			if (l.undecided < o->undecided)
				l.undecided = o->undecided;
			l.sessions += o->sessions;
			l.guessed += o->guessed;
		}
		*(servers ? &l.destinations : &l.sources) = hosts_of(p, &p->lines[i], end - i, servers);
		if (l.sources == NULL || (servers && l.destinations == NULL))
			return false;
		p->lines[n++] = l;
	}
	p->n = n;
	if (servers)
		number_services(p);
	return true;
}

/* ---- as text --------------------------------------------------------------------------------------------------------------- */

/* The first number behind "learnt-" that no name of the policy has. */
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

/* "2027-03-31", with `whole` its time of day as well. */
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

#define COUNTS 17

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

	time_text(y->first_ns, true, first, sizeof(first));
	time_text(y->last_ns, true, last, sizeof(last));
	message_print(c->out, c->lang, M_LEARN_HEAD, name != NULL ? name : "?", first, last,
		      (unsigned long long)y->frames);
	free(name);
	counts_of(p, counts);
	for (size_t i = 0; i < COUNTS; i++)
		if (counts[i].n > 0)
			message_print(c->out, c->lang, counts[i].text, (unsigned long long)counts[i].n);
	if (p->n == 0)
		message_print(c->out, c->lang, M_LEARN_NOTHING);
}

static int name_cmp(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Zones that no policy has named yet, each once. */
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
		net = host ? *end : network(end);
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
		if (l->rows[0] != '\0')
			fprintf(to, "\n    allow = (%s );", l->rows);
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

static bool print_text(struct proposal *p, const char *from)
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

/* ---- as JSON --------------------------------------------------------------------------------------------------------------- */

/* The texts in quotes of a list. */
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

static void print_json(const struct proposal *p)
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
			lines, json_pack("{s:s,s:s,s:o,s:o,s:s,s:s*,s:s,s:I,s:s,s:I,s:I,s:I}", "from", l->from, "to",
					 l->to, "sources", json_list(l->sources), "destinations",
					 json_list(l->destinations), "protocol", protocol_info(l->protocol)->name,
					 "guess", l->guess != PROTO_NONE ? protocol_info(l->guess)->name : NULL, "port",
					 port, "undecided_bytes", (json_int_t)l->undecided, "allow",
					 l->rows + strspn(l->rows, "\n "), "wide_rows", (json_int_t)l->wide, "sessions",
					 (json_int_t)l->sessions, "guessed", (json_int_t)l->guessed));
	}
	json_object_set_new(j, "first", json_time(y->first_ns));
	json_object_set_new(j, "last", json_time(y->last_ns));
	json_object_set_new(j, "frames", json_integer((json_int_t)y->frames));
	json_object_set_new(j, "counts", left);
	json_object_set_new(j, "conduits", lines);
	json_line(p->cli->out, j);
}

bool propose(struct cli *c, struct learnt *l, const struct model *model, struct ir *ir, const struct ast_node *groups,
	     const char *from, bool *ret_nothing)
{
	struct proposal p = {
		.cli = c, .arena = arena_new(BUDGET), .learnt = l, .model = model, .ir = ir, .groups = groups
	};
	bool ok = p.arena != NULL && !l->failed;

	if (ok)
		p.lines = arena_array(p.arena, l->n_talks + 1, sizeof(*p.lines));
	ok = ok && p.lines != NULL;
	ok = ok && split_networks(&p);
	for (size_t i = 0; ok && i < l->n_talks; i++)
		ok = add_line(&p, i);
	ok = ok && join(&p, false) && join(&p, true);
	if (ok && c->json)
		print_json(&p);
	else if (ok)
		ok = print_text(&p, from);
	*ret_nothing = p.n == 0;
	arena_free(p.arena);
	return ok;
}
