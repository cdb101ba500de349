/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of the box when no daemon answers: `sekishod --standing status` or `effective`, which
 * the command line runs as root. Rules, counters and settings are read from the kernel. Names come
 * from the generation in the state folder that has the digest of the kernel's table. The process
 * takes no lock, writes nothing and waits for nobody; a daemon that starts meanwhile does not
 * notice it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/alone/alone.h"
#include "appliance/base/memfd.h"
#include "appliance/box/links_json.h"
#include "appliance/box/loan.h"
#include "appliance/box/netns.h"
#include "appliance/enforce/look.h"
#include "appliance/store/in_force.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/papers.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/supervise.h"
#include "appliance/supervise/told.h"

static const struct generation_record *of_digest(const struct generation_store *store, const char *hex)
{
	/* The newest generation with that digest: several have it if their contents are equal. */
	for (size_t i = store->n; i > 0; i--) {
		json_t *j = json_hex(store->list[i - 1].digest, 32);
		bool same = hex != NULL && strcmp(json_string_value(j), hex) == 0;

		json_decref(j);
		if (same)
			return &store->list[i - 1];
	}
	return NULL;
}

static const struct generation_record *in_force(const struct generation_store *store, const char *hex)
{
	const struct generation_record *g = generation_find(store, store->confirmed), *other = of_digest(store, hex);
	json_t *j = g != NULL ? json_hex(g->digest, 32) : NULL;
	bool confirmed = j != NULL && hex != NULL && strcmp(json_string_value(j), hex) == 0;

	json_decref(j);
	return confirmed ? g : other;
}

/* Opens the state folder. If it does not exist, the box never had a policy. */
static int open_state(struct supervisor *s, struct err *e)
{
	bool damaged;
	int r;

	s->ground.state_fd = open(s->ground.o->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->ground.state_fd < 0)
		return errno == ENOENT ? 0 : err_set(e, -errno, "open the folder %s", s->ground.o->state);
	r = permit_ids_load(s->ground.state_fd, &s->gens.ids, &damaged, e);
	if (r == 0)
		r = generation_store_look(s->ground.state_fd, &s->gens.store, e);
	return r == -ENOENT ? 0 : r;
}

/* Loads the generation of these rules, for the names. *ret_unknown: the table names a generation
 * that is not stored here. */
static int open_policy(struct supervisor *s, struct enforce_look *k, const char *hex, bool *ret_unknown, struct err *e)
{
	const struct generation_record *g = in_force(&s->gens.store, hex);
	uint8_t *bytes = NULL;
	size_t n = 0;
	int fd, r;

	s->op.kind = OP_DRY_RUN; /* so that ids are looked up, but none is given out */
	*ret_unknown = hex != NULL && g == NULL;
	s->gens.now = policy_stored(s, g != NULL ? g->number : 0, e);
	if (s->gens.now == NULL)
		return e->code;
	s->gens.trial.number = g != NULL && g->state == GEN_WAITING ? g->number : 0;
	if (g == NULL)
		return 0;
	fd = policy_memfd(s->gens.now, NULL, false);
	if (fd < 0)
		return err_set(e, fd, "generation");
	r = memfd_read(fd, GENERATION_MAX_BYTES, &bytes, &n, e);
	paper_open(s, PAPER_USED);
	if (s->reported.papers[PAPER_USED].bytes != NULL)
		enforce_look_used(k, s->reported.papers[PAPER_USED].bytes, s->reported.papers[PAPER_USED].n);
	if (r == 0)
		r = enforce_look_names(k, bytes, s->gens.now->n_sealed, n - s->gens.now->n_sealed, e);
	free(bytes);
	close(fd);
	return r;
}

/* Whether the clock is trusted: what the rules show; if no conduit has an end, they show nothing,
 * and the clock is judged as enforce would do it (enforce/trust.c). */
static void clock_look(struct supervisor *s, bool open, bool closed)
{
	const struct generation_record *g = generation_find(&s->gens.store, s->gens.store.confirmed);
	struct moment m = { .latest = 0 };
	int battery = clock_battery_open();
	struct clock_facts f = { .now = clock_wall_s(),
				 .found = s->ground.state_fd >= 0 ? moment_load(s->ground.state_fd, &m) : MOMENT_NONE,
				 .policy = g != NULL ? g->applied_ns / SECOND : 0,
				 .sources = ir_time_sources(s->gens.now->ir),
				 .sync = clock_synchronised() };

	loan_boot_id(s->ground.boot);
	f.latest = m.latest;
	f.same_boot = s->ground.boot[0] != '\0' && strcmp(m.boot, s->ground.boot) == 0;
	f.battery = clock_battery(battery, &f.battery_s);
	if (battery >= 0)
		close(battery);
	s->reported.clock = (struct msg_clock){ .found = (uint8_t)f.found, .latest = f.latest };
	s->reported.clock.wait = open ? CLOCK_TRUSTED : (uint8_t)clock_judge(&f);
	if (closed && s->reported.clock.wait == CLOCK_TRUSTED)
		s->reported.clock.wait = CLOCK_WAITS_DAEMON;
}

enum standing { STANDS_NOTHING, STANDS_OPEN, STANDS_CLOSED, STANDS_BASE, STANDS_UNKNOWN, STANDS_POLICY };

static const char *const standing_words[] = {
	[STANDS_NOTHING] = "nothing", [STANDS_OPEN] = "open",	    [STANDS_CLOSED] = "closed",
	[STANDS_BASE] = "base",	      [STANDS_UNKNOWN] = "unknown", [STANDS_POLICY] = "policy",
};

struct look {
	struct supervisor *s;
	struct enforce_look *kernel; /* owned */
	bool effective;
	enum standing stands;
	json_t *answer; /* owned */
};

static enum standing standing_of(const struct enforce_look *k, bool base, const char *hex, bool unknown)
{
	if (!base)
		return enforce_look_forwarding(k) ? STANDS_OPEN : STANDS_CLOSED;
	if (hex == NULL)
		return STANDS_BASE;
	return unknown ? STANDS_UNKNOWN : STANDS_POLICY;
}

/* Reads first which generation the rules are of, and then, with the names of that generation, the
 * rules. */
static int read_kernel(struct look *l, struct err *e)
{
	bool base = false, unknown = false, open = false, closed = false;
	json_t *first = enforce_look_status(l->kernel, e);
	const char *hex = json_string_value(json_object_get(json_object_get(first, "kernel"), "digest"));
	int r = first == NULL ? e->code : enforce_look_base(l->kernel, &base, e);

	if (r == 0)
		r = open_policy(l->s, l->kernel, hex, &unknown, e);
	if (r == 0)
		r = enforce_look_ends(l->kernel, &open, &closed, e);
	if (r == 0) {
		clock_look(l->s, open, closed);
		l->stands = standing_of(l->kernel, base, hex, unknown);
		if (!l->effective)
			l->answer = enforce_look_status(l->kernel, e);
		else
			l->answer = l->stands == STANDS_POLICY ? enforce_look_effective(l->kernel, e) : json_object();
		r = l->answer == NULL ? e->code : 0;
	}
	json_decref(first);
	return r;
}

static int look_here(void *ctx, struct err *e)
{
	struct look *l = ctx;
	int r;

	l->kernel = enforce_look_open(e);
	r = l->kernel == NULL ? e->code : read_kernel(l, e);
	enforce_look_close(l->kernel);
	return r;
}

/* A trial is shown without an end, because without a daemon nobody ends it in time. Only the next
 * start goes back to the policy before the trial. */
static json_t *generation(const struct supervisor *s)
{
	return generation_json(&s->gens.store, s->gens.now->number, s->gens.now->ir, s->gens.trial.number, 0);
}

static json_t *clock(const struct supervisor *s)
{
	const struct clock_said c = { .wait = (enum clock_wait)s->reported.clock.wait,
				      .found = (enum moment_found)s->reported.clock.found,
				      .latest = s->reported.clock.latest,
				      .sync = clock_synchronised(),
				      .sources = ir_time_sources(s->gens.now->ir) };

	return clock_json(&c, s->gens.now->ir);
}

/* Adds which generation the rules are of, and the state of the interfaces. */
static void complete(struct look *l)
{
	json_t *j = l->answer;

	json_object_set_new(j, "daemon", json_false());
	json_object_set_new(j, "stands", json_string(standing_words[l->stands]));
	if (l->stands == STANDS_NOTHING)
		return;
	if (l->effective) {
		json_object_set_new(j, "tables", json_array());
		json_object_set_new(j, "tables_digest", json_null());
		if (l->stands != STANDS_POLICY)
			return;
		json_object_set_new(j, "answers", box_answering_json(&l->s->ground.spaces, l->s->gens.now->ir));
		json_object_set_new(j, "reach", box_reach_json(&l->s->ground.spaces, l->s->gens.now->ir));
		json_object_set_new(j, "clock", clock(l->s));
		waiting_mark(l->s->gens.now->ir, clock_wall_s(), l->s->reported.clock.wait != CLOCK_TRUSTED,
			     json_object_get(j, "conduits"));
		moment_json(j, generation(l->s), site_json(l->s->gens.now->ir));
		return;
	}
	json_object_set_new(j, "site", site_json(l->s->gens.now->ir));
	json_object_set_new(j, "generation", generation(l->s));
	json_object_set_new(j, "roles", json_array());
	json_object_set_new(j, "interfaces", box_interfaces_json(&l->s->ground.spaces, l->s->gens.now->ir));
	json_object_set_new(j, "reach", box_reach_json(&l->s->ground.spaces, l->s->gens.now->ir));
	json_object_set_new(j, "clock", clock(l->s));
	companions_json(j, l->s->gens.now->ir, l->s->ground.state_fd, l->s->ground.o->state, l->s->ground.o->run,
			&l->s->reported.ups.watch);
	json_object_set_new(j, "surroundings", json_surroundings(l->s));
}

static int look_at_rules(struct look *l, struct err *e)
{
	struct supervisor *s = l->s;
	int r;

	s->ground.spaces.home = netns_own(e);
	if (s->ground.spaces.home < 0)
		return s->ground.spaces.home;
	s->ground.spaces.data = netns_find(s->ground.o->data_netns, e);
	if (s->ground.spaces.data == -ENOENT) {
		l->stands = STANDS_NOTHING;
		l->answer = json_object();
		return l->answer == NULL ? err_set(e, -ENOMEM, "answer") : 0;
	}
	if (s->ground.spaces.data < 0)
		return s->ground.spaces.data;
	r = open_state(s, e);
	if (r == 0)
		r = in_namespace(&s->ground, s->ground.spaces.data, look_here, l, e);
	if (r == 0) {
		/* If that namespace does not exist, its interfaces are shown as absent. */
		s->ground.spaces.admin = netns_find(s->ground.o->admin_netns, e);
		if (s->ground.spaces.admin < 0)
			s->ground.spaces.admin = s->ground.spaces.home;
	}
	return r;
}

int supervise_standing(const struct supervise_options *o, const char *question)
{
	static struct supervisor s; /* static, because it is large */
	struct look l = { .s = &s, .effective = strcmp(question, "effective") == 0 };
	struct err e = { 0 };
	int status = 0;

	s = (struct supervisor){ .ground = { .o = o, .spaces = { -1, -1, -1 }, .state_fd = -1 },
				 .gens.store.dirfd = -1 };
	if (!l.effective && strcmp(question, "status") != 0) {
		message_print(stderr, o->lang, M_STANDING_QUESTION, question);
		return 2;
	}
	if (look_at_rules(&l, &e) == 0) {
		complete(&l);
		status = l.effective && l.stands == STANDS_POLICY ? 0 : 1;
	} else {
		json_decref(l.answer);
		l.answer = json_pack("{s:o}", "error",
				     e.code == -ESTALE ? json_sentence(M_STANDING_CHANGING)
						       : json_sentence(M_STANDING_FAILED, e.text));
		status = 3;
	}
	json_line(stdout, l.answer);
	return status;
}
