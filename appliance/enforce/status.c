/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel has. For people: tables, counters, settings, foreign objects, lingering permits.
 * For the supervisor: counters that only the kernel has. */
#include <errno.h>
#include <string.h>

#include "appliance/box/sysctl.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/session.h"
#include "appliance/enforce/status.h"
#include "appliance/kernel/dump.h"
#include "appliance/kernel/rule.h"
#include "appliance/wire/reason.h"

static json_t *foreign_json(const struct image *have)
{
	json_t *list = json_array();

	for (size_t i = 0; i < have->n_foreign; i++)
		if (have->foreign[i].name == NULL)
			(void)json_array_append_new(list, json_text(have->foreign[i].what));
	return list;
}

static void setting_json(const char *name, const char *have, const char *want, void *ctx)
{
	(void)json_array_append_new(ctx, json_pack("{s:o,s:o,s:o}", "name", json_text(name), "is", json_text(have),
						   "want", json_text(want)));
}

static json_t *feature(const char *why_not)
{
	return json_pack("{s:b,s:o}", "used", why_not == NULL, "why",
			 why_not == NULL ? json_null() : json_text(why_not));
}

/* The reason why other programs can change our table; NULL = they cannot, because the kernel lets
 * only the owner change it. */
static const char *unowned(const struct kernel_side *kernel, const struct image *have)
{
	if (have->table_owner != 0)
		return NULL;
	return (kernel->lacks & LACKS_OWNER) != 0 ? "kernel" : have->table_persists ? "orphan" : "earlier";
}

/* Optional features of the kernel that the box uses, and why one is not used
 * (docs/architecture.md). */
static json_t *features(const struct kernel_side *kernel, const struct image *have)
{
	return json_pack("{s:o,s:o,s:o,s:o}", "queue", feature((kernel->lacks & LACKS_QUEUE) == 0 ? NULL : "kernel"),
			 "flowtable", feature("unjudged"), "owned_table", feature(unowned(kernel, have)),
			 "verdict_cache", feature((kernel->lacks & LACKS_ONCE) == 0 ? NULL : "kernel"));
}

json_t *enforce_status(struct enforce *f, struct err *e)
{
	struct arena *a = arena_new(DUMP_BUDGET);
	struct image have;
	uint8_t digest[32];
	json_t *j = NULL, *counters, *lingering, *settings = json_array();

	if (a == NULL) {
		err_set(e, -ENOMEM, "status of the kernel");
		return NULL;
	}
	if (netlink_dump_standing(&f->kernel.net, a, &have, e) < 0)
		goto out;
	counters = json_object();
	have.counters[R_SPOOFED].packets += reverse_path_refused(f->kernel.reverse_path);
	for (uint32_t r = 0; r < REASON_COUNT; r++)
		if (have.counters[r].present)
			json_object_set_new(counters, reason_word((enum reason)r),
					    json_pack("{s:I,s:I}", "packets", (json_int_t)have.counters[r].packets,
						      "bytes", (json_int_t)have.counters[r].bytes));
	lingering = json_array();
	for (size_t i = 0; f->now != NULL && i < f->now->n_lingering; i++)
		(void)json_array_append_new(lingering,
					    json_pack("{s:I,s:o}", "permit", (json_int_t)f->now->lingering[i].permit,
						      "lane", enforce_lane_json(f->now->lingering[i].lane)));
	j = json_pack("{s:s,s:{s:I,s:o},s:{s:o,s:b,s:o},s:o}", "backend",
		      (f->kernel.lacks & LACKS_QUEUE) == 0 ? "native" : "compat", "drift", "seen",
		      (json_int_t)f->watched.drifts, "last",
		      f->watched.drift_wall_ns == 0 ? json_null() : json_time(f->watched.drift_wall_ns), "kernel",
		      "counters", counters, "forwarding", forwarding_is_on(&f->kernel.forwarding), "digest",
		      image_digest(&have, digest) ? json_hex(digest, sizeof(digest)) : json_null(), "lingering",
		      lingering);
	if (f->now != NULL)
		sysctl_verify(true, f->now->ir.record_passed, setting_json, settings);
	json_object_set_new(j, "features", features(&f->kernel, &have));
	json_object_set(j, "settings", settings);
	json_object_set_new(j, "foreign", foreign_json(&have));
	json_object_set_new(j, "tracking", enforce_tracking(f));
	json_object_set_new(j, "expected", enforce_expected(f));
	json_object_set_new(j, "works_stopped", json_integer((json_int_t)f->hearing.stopped));
	if (j == NULL)
		err_set(e, -ENOMEM, "status of the kernel");
out:
	json_decref(settings);
	arena_free(a);
	return j;
}

/* ---- for the supervisor ---------------------------------------------------------------------- */

/* What became of packets that left their queue without a verdict, and how many packets the tap
 * should receive. */

#define COUNTERS_BUDGET 65536u /* bytes */

#define RULES_BUDGET (1u << 20)

/*
 * For each drop reason, whether rules also log it to the tap. All rules that log are in the
 * skeleton. They depend neither on the policy nor on the number of lanes. While memory is out, all
 * are false.
 */
static const bool *logged_reasons(void)
{
	static bool logged[REASON_COUNT], known;
	struct arena *a = known ? NULL : arena_new(RULES_BUDGET);
	struct ir_rule *rules = NULL;
	const struct ir_limits any = { .list = { 1 }, .n = 1 };
	size_t n = a != NULL ? ir_skeleton(0, (struct ir_maps){ IR_LAYERS, 1 }, &any, a, &rules) : 0;

	for (uint32_t r = 0; r < REASON_COUNT && n > 0; r++)
		logged[r] = ir_logged(rules, n, r);
	known = known || n > 0;
	arena_free(a);
	return logged;
}

static uint64_t logged_packets(const struct image *have)
{
	const bool *logged = logged_reasons();
	uint64_t n = 0;

	for (unsigned r = 0; r < REASON_COUNT; r++)
		if (logged[r])
			n += have->counters[r].packets;
	return n;
}

void enforce_unanswered(struct enforce *f)
{
	struct arena *a = arena_new(COUNTERS_BUDGET);
	struct msg_body m = { .type = MSG_UNANSWERED };
	struct msg_unanswered *u = &m.unanswered;
	static struct image have; /* static, because it is large */
	struct err e;

	/* If the counters cannot be read now, nothing is lost: the kernel goes on counting, and
	 * they are read the next time. */
	if (a != NULL && netlink_dump_counters(&f->kernel.net, a, &have, &e) == 0 &&
	    have.counters[R_DOWN_OPEN].present) {
		u->closed = have.counters[R_DOWN_CLOSED].packets;
		u->held = have.counters[R_DOWN_HELD].packets;
		u->hold_new = have.counters[R_DOWN_HOLD_NEW].packets;
		u->open = have.counters[R_DOWN_OPEN].packets;
		u->logged = logged_packets(&have);
		if (!f->unanswered_told || memcmp(u, &f->unanswered, sizeof(*u)) != 0)
			f->unanswered_told = msg_send(f->roles.control, 0, &m, NULL, 0) == 0;
		f->unanswered = *u;
	}
	arena_free(a);
}
