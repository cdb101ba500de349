/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/learn/proposal.h"

#include <stdlib.h>
#include <string.h>

#include "dpi/decode.h"
#include "policy/ir/evaluate.h"
#include "policy/ir/ir.h"
#include "policy/ir/moment.h"

#define BUDGET (192u << 20)

/* ---- zones ----------------------------------------------------------------------------------- */

/* Of IPv6 addresses nobody can tell. */
static bool is_private(const struct addr *a)
{
	return a->family == 6 || addr_is_private(a);
}

static int addr_order(const void *x, const void *y)
{
	return addr_cmp(x, y);
}

/* A broadcast or multicast address, which no box forwards. */
static bool is_for_all(const struct addr *a)
{
	return a->family == 4 && a->b[3] == 255;
}

static bool is_within(const struct talk *t)
{
	struct addr a = proposal_network(&t->client), b = proposal_network(&t->server);

	return addr_cmp(&a, &b) == 0 && addr_cmp(&t->client, &t->server) != 0;
}

/* Sorts and removes duplicates; returns how many are left. */
static size_t each_once(struct addr *nets, size_t n)
{
	size_t kept = 0;

	qsort(nets, n, sizeof(*nets), addr_order);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || addr_cmp(&nets[i], &nets[kept - 1]) != 0)
			nets[kept++] = nets[i];
	return kept;
}

/*
 * Without a policy the box's place is unknown. Where hosts of one network communicate, the box may
 * be between them. Where hosts of two public networks communicate, it may be between these
 * networks, because a plant may use public addresses inside.
 */
static bool split_networks(struct proposal *p)
{
	p->split = arena_array(p->arena, p->learnt->n_talks + 1, sizeof(*p->split));
	p->inside = arena_array(p->arena, 2 * p->learnt->n_talks + 1, sizeof(*p->inside));
	if (p->split == NULL || p->inside == NULL || p->model != NULL)
		return p->split != NULL && p->inside != NULL;
	for (size_t i = 0; i < p->learnt->n_talks; i++) {
		const struct talk *t = &p->learnt->talks[i];

		if (is_within(t) && !is_for_all(&t->server))
			p->split[p->n_split++] = proposal_network(&t->client);
		if (is_within(t) || is_private(&t->client) || is_private(&t->server) || is_for_all(&t->server))
			continue;
		p->inside[p->n_inside++] = proposal_network(&t->client);
		p->inside[p->n_inside++] = proposal_network(&t->server);
	}
	p->n_split = each_once(p->split, p->n_split);
	p->n_inside = each_once(p->inside, p->n_inside);
	return true;
}

static bool is_among(const struct addr *net, const struct addr *nets, size_t n)
{
	return bsearch(net, nets, n, sizeof(*net), addr_order) != NULL;
}

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

/* NULL: the address is in no zone of the policy, or there is no memory. */
static const char *zone_of(const struct proposal *p, const struct addr *a)
{
	struct addr net = proposal_network(a);
	const struct model *m = p->model;

	for (size_t z = 0; m != NULL && z < m->n_zones; z++)
		for (size_t i = 0; i < m->zones[z].n_ranges; i++)
			if (addr_in(a, &m->zones[z].ranges[i]))
				return m->zones[z].name;
	if (m != NULL)
		return NULL;
	if (is_among(&net, p->split, p->n_split))
		return host_zone(p->arena, a);
	if (!is_private(a) && !is_among(&net, p->inside, p->n_inside))
		return "outside";
	if (a->family == 4)
		return arena_printf(p->arena, "net-%u-%u-%u", net.b[0], net.b[1], net.b[2]);
	return arena_printf(p->arena, "net-%x-%x-%x-%x", net.b[0] << 8 | net.b[1], net.b[2] << 8 | net.b[3],
			    net.b[4] << 8 | net.b[5], net.b[6] << 8 | net.b[7]);
}

/* ---- commands that were seen half-way -------------------------------------------------------- */

/* Requests that end something, and those that could have begun it: one of these between the same
 * ends is enough. The enforcer checks other connections itself. */
static const struct {
	enum protocol protocol;
	const char *end, *begins[3];
} ends[] = {
	{ PROTO_S7COMM, "download_ended", { "request_download", "download_block" } },
	{ PROTO_S7COMM, "end_upload", { "start_upload", "upload" } },
	{ PROTO_S7COMM, "cyclic_end", { "cyclic_read", "read_on_change", "read_otherwise" } },
	{ PROTO_SLMP, "close_file", { "open_file", "new_file" } },
};

static bool is_asked(const struct act *acts, size_t n, const char *name)
{
	const struct function_info *f;

	for (size_t i = 0; i < n && name != NULL; i++) {
		f = function_by_code(vocabulary_of(acts[i].protocol), acts[i].function);
		if (f != NULL && strcmp(f->name, name) == 0)
			return true;
	}
	return false;
}

/* Marks the requests among "acts" (all of one client and one server) that end something whose
 * beginning nobody saw. Each such request is an act of its own, so their order is kept. */
static void mark_halves(struct learnt *l, struct act *acts, size_t n)
{
	for (size_t e = 0; e < sizeof(ends) / sizeof(ends[0]); e++) {
		bool begun = n == 0 || ends[e].protocol != acts->protocol || !is_asked(acts, n, ends[e].end);

		for (size_t b = 0; b < 3 && !begun; b++)
			begun = is_asked(acts, n, ends[e].begins[b]);
		for (size_t i = 0; i < n && !begun; i++)
			if (!acts[i].half && is_asked(&acts[i], 1, ends[e].end)) {
				acts[i].half = true;
				l->tally.halves += acts[i].count;
			}
	}
}

/* ---- lines ----------------------------------------------------------------------------------- */

static bool same_ends(const struct talk *a, const struct talk *b)
{
	return a->port == b->port && a->l4proto == b->l4proto && addr_cmp(&a->client, &b->client) == 0 &&
	       addr_cmp(&a->server, &b->server) == 0;
}

/*
 * Sessions that did not show their protocol (no data, or a beginning that was not seen) count like
 * other sessions of the same ends. If another client's sessions with that server show commands, no
 * line is proposed, because a line without rows would allow all commands.
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

/* A protocol whose form no session kept is another one that begins alike: MMS begins like S7. */
static enum protocol named(const struct talk *t, size_t n_acts)
{
	bool kept = protocol_info(t->protocol)->depth != DEPTH_COMMANDS || n_acts > 0 || t->misfits < t->sessions;

	if (t->protocol != PROTO_NONE && kept)
		return t->protocol;
	return t->l4proto == IP_TCP ? PROTO_TCP : t->l4proto == IP_UDP ? PROTO_UDP : PROTO_ICMP;
}

static bool add_line(struct proposal *p, size_t i)
{
	const struct talk *t = &p->learnt->talks[i];
	struct line *l = &p->lines[p->n];
	const struct act *acts;
	bool unclear, other;
	size_t n_acts, grants = 0, lines = p->n;

	if (is_covered(p->learnt, i, &unclear))
		return true;
	acts = learnt_acts_of(p->learnt, t, &n_acts);
	*l = (struct line){ .from = zone_of(p, &t->client),
			    .to = zone_of(p, &t->server),
			    .client = t->client,
			    .server = t->server,
			    .l4proto = t->l4proto,
			    .port = t->port,
			    .protocol = named(t, n_acts),
			    .rows = { .text = "" },
			    .guess = t->guess,
			    .undecided = t->undecided,
			    .sessions = t->sessions,
			    .guessed = t->guessed };
	for (size_t k = 0; k < n_acts; k++)
		grants += !acts[k].half;
	/* A policy cannot name port 0. */
	unclear = unclear || (t->port == 0 && (t->l4proto == IP_TCP || t->l4proto == IP_UDP)) ||
		  (protocol_info(l->protocol)->depth == DEPTH_COMMANDS && grants == 0) ||
		  (t->protocol == PROTO_NONE && t->cut == t->sessions);
	other = t->l4proto != IP_TCP && t->l4proto != IP_UDP && t->port >> 8 != 8 && t->port >> 8 != 128;
	if (arena_failed(p->arena))
		return false;
	if (l->from == NULL || l->to == NULL)
		p->nowhere += t->sessions;
	else if ((line_is_inside(l) && p->model == NULL) ||
		 (is_for_all(&t->server) && (line_is_inside(l) || is_within(t))))
		p->within += t->sessions;
	else if (is_allowed(p, t))
		p->allowed += t->sessions;
	else if (unclear || other)
		p->unclear += t->sessions;
	else
		p->n++;
	if (grants > 0 && p->n > lines)
		l->rows = proposal_rows(p, acts, n_acts);
	if (l->l4proto == IP_ICMP6) { /* the policy's icmp/8 is the echo of both families */
		l->l4proto = IP_ICMP;
		l->port = 8u << 8;
	}
	return l->rows.text != NULL;
}

/* Compares the services of two lines; zones_cmp compares their zones after that. */
static int kind_cmp(const struct line *a, const struct line *b)
{
	int r = (int)a->protocol - (int)b->protocol;

	r = r != 0 ? r : (int)a->l4proto - (int)b->l4proto;
	r = r != 0 ? r : (int)a->port - (int)b->port;
	return r != 0 ? r : strcmp(a->rows.text, b->rows.text);
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

static void add_seen(struct line *to, const struct line *l)
{
	for (size_t i = 0; i < to->rows.n; i++)
		to->rows.seen[i] += l->rows.seen[i];
}

/* Lines with the same service are adjacent: they get one number, and the first gets what all of
 * them need. */
static void number_services(struct proposal *p)
{
	size_t first = 0;

	for (size_t i = 1; i < p->n; i++) {
		struct line *l = &p->lines[i];

		l->service = l[-1].service + (kind_cmp(l, l - 1) != 0);
		if (l->service != l[-1].service) {
			first = i;
			continue;
		}
		add_seen(&p->lines[first], l);
		if (p->lines[first].undecided < l->undecided)
			p->lines[first].undecided = l->undecided;
	}
}

/* One end of `n` lines, adjacent equal ones once: the hosts' names in the policy, in quotes; NULL:
 * no memory. */
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
		return proposal_collected(p, to, &text);
	fclose(to);
	free(text);
	return arena_printf(p->arena, "\"%s\"", group);
}

/* Joins adjacent lines that differ in one end only into a line with all these ends. */
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
			if (end > i)
				add_seen(&l, o);
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

/* Without a policy the text is a whole policy: what `check` reports about it comes first. */
static bool whole_text(struct proposal *p, const char *from, bool *ret_refused)
{
	struct cli *c = p->cli;
	FILE *out = c->out;
	char *text = NULL, why[512];
	size_t size = 0;
	bool ok;

	if (p->model != NULL || p->n == 0)
		return proposal_text(p, from);
	c->out = open_memstream(&text, &size);
	ok = c->out != NULL && proposal_text(p, from);
	if (c->out != NULL)
		ok = fclose(c->out) == 0 && ok;
	c->out = out;
	*ret_refused = ok && !proposal_checked(text, size, c->lang, why, sizeof(why));
	if (*ret_refused)
		message_print(out, c->lang, M_LEARN_REFUSED, why);
	if (ok)
		fwrite(text, 1, size, out);
	free(text);
	return ok;
}

bool propose(struct cli *c, struct learnt *l, const struct said *said, const char *from, bool *ret_refused)
{
	struct proposal p = { .cli = c, .arena = arena_new(BUDGET), .learnt = l, .tags = said->tags };
	bool ok = p.arena != NULL && !l->failed;

	if (said->policy != NULL) {
		p.model = said->policy->c.model;
		p.ir = said->policy->c.ir;
		p.groups = said->policy->c.groups;
	}
	if (ok)
		p.lines = arena_array(p.arena, l->n_talks + 1, sizeof(*p.lines));
	ok = ok && p.lines != NULL;
	ok = ok && split_networks(&p);
	for (size_t i = 0, n; ok && i < l->n_talks; i++) {
		const struct act *acts = learnt_acts_of(l, &l->talks[i], &n);

		if (n > 0)
			mark_halves(l, &l->acts[acts - l->acts], n);
		ok = add_line(&p, i);
	}
	ok = ok && join(&p, false) && join(&p, true);
	if (ok && c->json)
		proposal_json(&p);
	else if (ok)
		ok = whole_text(&p, from, ret_refused);
	*ret_refused |= p.n == 0;
	arena_free(p.arena);
	return ok;
}
