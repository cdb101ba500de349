/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/attack.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "appliance/wire/reason.h"
#include "appliance/wire/settings.h"
#include "appliance/wire/vocabulary.h"

#define SECOND 1000000000ull
#define WAYS 4u /* slots of the table of watches in which a key may be stored */
/* A whole zone counts as a scanner when its hosts together tried this many times as many places as
 * the threshold for one host says. A larger number would never be reached, because the kernel
 * reports too few refusals in a second. */
#define CROWD_MORE 3u
#define CROWD_SOONER 10u /* the window for a whole zone is this part of the window for a host */
#define NAMED_MOST 3u	 /* machines whose names are listed in an alarm for two zones */

/* Counts different places in a set of n bits. A bit that is newly set counts for n / (free bits)
 * places, because some places before it met a bit that was set already. */
static void count_place(uint64_t *place, unsigned n, uint64_t h, uint32_t *bits, uint64_t *milli)
{
	uint64_t *word = &place[h % n / 64], bit = 1ull << h % 64;

	if ((*word & bit) != 0)
		return;
	*word |= bit;
	*milli += (uint64_t)n * 1000u / (n - *bits);
	(*bits)++;
}

/* Adds without overflow. */
static uint64_t add_capped(uint64_t n, uint64_t more)
{
	return more < UINT32_MAX - n ? n + more : UINT32_MAX;
}

/* ---- alarms ---------------------------------------------------------------------------------- */

bool attack_rings(const struct attack_alarm *x)
{
	return x->acknowledged == 0 && x->silent_until == 0;
}

static void ring(struct attacks *a, struct attack_alarm *x, uint64_t now, enum attack_event says)
{
	x->rung++;
	x->rang = now;
	x->acknowledged = x->silent_until = 0;
	x->says = (uint8_t)says;
	a->changed = true;
}

static enum attack_event word_of(const struct attack_alarm *x)
{
	return x->test ? ATTACK_RANG_TEST : x->grave ? ATTACK_RANG_GRAVE : ATTACK_RANG;
}

static void drop_alarm(struct attacks *a, size_t at)
{
	memmove(&a->alarms[at], &a->alarms[at + 1], (a->n - at - 1) * sizeof(a->alarms[0]));
	a->n--;
	a->changed = true;
}

/* Whether `x` is dropped before `y` to make room: first tests, then acknowledged alarms, then those
 * that are not grave, then older ones. */
static bool goes_before(const struct attack_alarm *x, const struct attack_alarm *y)
{
	if (x->test != y->test)
		return x->test;
	if ((x->acknowledged != 0) != (y->acknowledged != 0))
		return x->acknowledged != 0;
	if (x->grave != y->grave)
		return !x->grave;
	return x->last < y->last;
}

/* Room for a new alarm. NULL: none, because a test does not replace real alarms. */
static struct attack_alarm *make_room(struct attacks *a)
{
	size_t first = 0;

	if (a->n == ATTACK_ALARMS) {
		for (size_t i = 1; i < a->n; i++)
			if (goes_before(&a->alarms[i], &a->alarms[first]))
				first = i;
		if (a->testing && !a->alarms[first].test)
			return NULL;
		a->beyond += !a->alarms[first].test && a->alarms[first].acknowledged == 0;
		drop_alarm(a, first);
	}
	memset(&a->alarms[a->n], 0, sizeof(a->alarms[0]));
	return &a->alarms[a->n++];
}

/* The alarm of this sign, or the alarm for its two zones if these have ATTACK_BY_ZONES alarms
 * already. NULL: there is none yet; *ret_sum: the new alarm is to be for the two zones. */
static struct attack_alarm *alarm_find(struct attacks *a, const struct sign *s, bool *ret_sum)
{
	struct attack_alarm *sum = NULL;
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++) {
		struct attack_alarm *x = &a->alarms[i];

		if (x->cause != s->cause || x->test != a->testing)
			continue;
		if (x->key == s->key)
			return x;
		if (x->zones != s->zones)
			continue;
		if (x->sum)
			sum = x;
		else
			n++;
	}
	*ret_sum = s->sum || n >= ATTACK_BY_ZONES;
	return *ret_sum ? sum : NULL;
}

static bool is_in(const char *list, const char *one)
{
	const char *at = *one != '\0' ? strstr(list, one) : list;

	return at != NULL;
}

/* Adds a name to a list such as "RTG 1 (10.30.1.10), ...": the first names, then an ellipsis. */
static void add_machine(char list[ATTACK_END], const char *one, unsigned n)
{
	size_t at = strlen(list), more = strlen(one);

	if (is_in(list, one) || (at > 4 && strcmp(list + at - 4, " ...") == 0))
		return;
	if (at == 0)
		snprintf(list, ATTACK_END, "%s", one);
	else if (n < NAMED_MOST && at + 2 + more + 5 < ATTACK_END)
		snprintf(list + at, ATTACK_END - at, ", %s", one);
	else if (at + 5 < ATTACK_END)
		snprintf(list + at, ATTACK_END - at, " ...");
}

static unsigned machines_in(const char *list)
{
	unsigned n = *list != '\0';

	for (const char *p = list; (p = strstr(p, "), ")) != NULL; p++)
		n++;
	return n;
}

static void add_host(struct attack_alarm *x, uint64_t host)
{
	uint32_t n = 0;

	while (n < ATTACK_HOSTS && x->host[n] != 0 && x->host[n] != host)
		n++;
	if (n == ATTACK_HOSTS || x->host[n] == host)
		return;
	x->host[n] = host;
	if (n + 1 > x->hosts)
		x->hosts = n + 1;
}

/* Updates the number of places. It is an estimate, so it is limited to the number of signs. */
static void places_told(struct attack_alarm *x)
{
	uint64_t n = x->milli_places / 1000u;

	n = n < x->count ? n : x->count;
	if (n > x->places)
		x->places = (uint32_t)n;
}

static void add_sign(struct attacks *a, struct attack_alarm *x, const struct sign *s, uint64_t now)
{
	x->last = now > x->last ? now : x->last;
	x->count = add_capped(x->count, s->count);
	x->grave = (x->grave || s->grave) && !x->test;
	add_host(x, not_zero(s->host));
	count_place(x->place, ATTACK_PLACES, s->place, &x->bits, &x->milli_places);
	places_told(x);
	add_machine(x->from, s->from, machines_in(x->from));
	add_machine(x->to, s->to, machines_in(x->to));
	if (addr_cmp(&x->client, &s->client) != 0)
		x->client = (struct addr){ 0 };
	if (addr_cmp(&x->server, &s->server) != 0)
		x->server = (struct addr){ 0 };
	a->stale = true;
}

/* Whether the alarm grew since a person last saw it: it became grave, or its count has at least
 * doubled and risen by the threshold. */
static bool grew(const struct attacks *a, const struct attack_alarm *x)
{
	uint64_t more = x->count - x->seen, least = a->rule.at_least[x->cause];

	return (x->grave && !x->seen_grave) || more >= (x->seen > least ? x->seen : least);
}

/* Adds the places that were counted before the alarm began; the last sign's place is counted
 * already. */
static void add_watched(struct attack_alarm *x, const struct attack_watch *w)
{
	x->milli_places += w->milli_places - 1000u;
	places_told(x);
}

static void alarm_begin(struct attacks *a, const struct sign *s, const struct attack_watch *w, bool sum, bool crowd,
			uint64_t now)
{
	struct attack_alarm *x = make_room(a);

	if (x == NULL)
		return;
	x->number = ++a->last;
	x->cause = (uint8_t)s->cause;
	x->test = a->testing;
	x->sum = sum;
	x->crowd = crowd;
	x->key = sum ? not_zero(s->zones ^ 1u) : s->key;
	if (s->sum)
		x->key = s->key;
	x->zones = s->zones;
	x->first = w != NULL ? w->since : now;
	x->client = s->client;
	x->server = s->server;
	add_sign(a, x, s, now);
	if (w != NULL) {
		x->count = w->count;
		add_watched(x, w);
	}
	ring(a, x, now, word_of(x));
}

/* ---- thresholds ------------------------------------------------------------------------------ */

/* The watch of one host, or with `host` 0 of the whole zone; a new one if needed. The watches of
 * ATTACK_TRYING have a table of their own, because a scanner touches so many places that it would
 * push out all others. */
static struct attack_watch *watch_of(struct attacks *a, const struct sign *s, uint64_t host, uint64_t within,
				     uint64_t now)
{
	uint64_t key = not_zero(attack_mix(s->key, &host, sizeof(host)));
	struct attack_watch *table = a->watched[s->cause == ATTACK_TRYING],
			    *set = &table[key % (ATTACK_WATCHED / WAYS) * WAYS], *room = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].since != 0 && set[i].key == key) {
			/* The window is over, or the clock was set back. */
			if (now < set[i].since || now - set[i].since >= within)
				set[i] = (struct attack_watch){ .key = key, .since = now };
			return &set[i];
		}
		if (set[i].since < room->since)
			room = &set[i];
	}
	*room = (struct attack_watch){ .key = key, .since = now };
	return room;
}

/* True for a host that already belongs to the alarm: no threshold applies to it any more. */
static bool is_host_of(const struct attack_alarm *x, uint64_t host)
{
	for (size_t i = 0; i < ATTACK_HOSTS && x->host[i] != 0; i++)
		if (x->host[i] == host)
			return true;
	return false;
}

static void watch_add(struct attack_watch *w, const struct sign *s)
{
	w->count = add_capped(w->count, s->count);
	count_place(w->place, ATTACK_WATCH_PLACES, s->place, &w->bits, &w->milli_places);
}

/* Detects a scan by many hosts of a zone, each of which is refused in few places. It counts places
 * for the whole zone, in a shorter window. NULL: no such scan. */
static struct attack_watch *crowd(struct attacks *a, const struct sign *s, uint64_t now)
{
	struct attack_watch *w = watch_of(a, s, 0, (a->rule.within_s + CROWD_SOONER - 1) / CROWD_SOONER, now);

	watch_add(w, s);
	return w->milli_places / 1000u >= (uint64_t)a->rule.at_least[ATTACK_SCAN] * CROWD_MORE ? w : NULL;
}

static void take_sign(struct attacks *a, const struct sign *s, uint64_t now)
{
	uint32_t least = a->rule.at_least[s->cause];
	struct attack_watch *w;
	struct attack_alarm *x;
	bool sum, of_crowd = false;
	uint64_t before;

	x = alarm_find(a, s, &sum);
	w = x != NULL && (is_host_of(x, not_zero(s->host)) || !x->sum)
		    ? NULL
		    : watch_of(a, s, not_zero(s->host), a->rule.within_s, now);
	if (w != NULL) {
		watch_add(w, s);
		/*
		 * Once there is an alarm of a scan, a further host is added at a quarter of the
		 * threshold: in a scan by many hosts each does little, and the kernel reports only
		 * some packets of a flood.
		 */
		if (x != NULL && s->cause == ATTACK_SCAN)
			least = (least + 3) / 4;
		if ((s->cause == ATTACK_SCAN ? w->milli_places / 1000u : w->count) < least) {
			w = s->cause == ATTACK_SCAN && x == NULL ? crowd(a, s, now) : NULL;
			if (w == NULL)
				return;
			of_crowd = true;
		}
	}
	if (x == NULL) {
		alarm_begin(a, s, w, sum, of_crowd, now);
		if (w != NULL)
			w->since = 0;
		return;
	}
	before = x->count;
	if (now >= x->last + ATTACK_QUIET_S)
		x->burst = before;
	add_sign(a, x, s, now);
	if (w != NULL) {
		/* The host is new in this alarm, so its earlier signs are added, unless they were
		 * counted with those of the whole zone. */
		if (!x->crowd || w->since > x->rang) {
			x->count = add_capped(x->count, w->count - s->count);
			add_watched(x, w);
		}
		w->since = 0;
	}
	/* As many signs as the threshold, after quiet: somebody who saw the first burst is told. */
	least = a->rule.at_least[s->cause];
	if (attack_rings(x) ? x->burst > 0 && before < x->burst + least && x->count >= x->burst + least : grew(a, x))
		ring(a, x, now, word_of(x));
}

void attacks_note(struct attacks *a, const struct event *e, const struct named *n, uint64_t now)
{
	struct sign signs[ATTACK_SIGNS];
	size_t count = attack_signs(a, e, n, now, signs);

	for (size_t i = 0; i < count; i++)
		take_sign(a, &signs[i], now);
}

void attacks_tick(struct attacks *a, uint64_t now)
{
	for (size_t i = a->n; i-- > 0;) {
		struct attack_alarm *x = &a->alarms[i];

		if (x->test ? now >= x->first + ATTACK_TEST_OVER_S
			    : x->acknowledged != 0 && now >= x->last + ATTACK_OVER_S &&
				      now >= x->acknowledged + ATTACK_OVER_S)
			drop_alarm(a, i);
		else if (x->silent_until != 0 && now >= x->silent_until)
			ring(a, x, now, word_of(x));
	}
}

uint64_t attacks_due(const struct attacks *a)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < a->n; i++) {
		const struct attack_alarm *x = &a->alarms[i];
		uint64_t at = x->test			  ? x->first + ATTACK_TEST_OVER_S
			      : x->silent_until != 0	  ? x->silent_until
			      : x->acknowledged == 0	  ? UINT64_MAX
			      : x->last > x->acknowledged ? x->last + ATTACK_OVER_S
							  : x->acknowledged + ATTACK_OVER_S;

		due = at < due ? at : due;
	}
	return due;
}

/* ---- records of alarms ----------------------------------------------------------------------- */

static struct event of_alarm(const struct attack_alarm *x, enum attack_event what, uint64_t now)
{
	struct event e = event_new(EVENT_ATTACK, now * SECOND);

	e.code = (uint8_t)what;
	e.space = x->cause;
	e.client = x->client;
	e.server = x->server;
	e.count = x->count;
	e.value = x->number;
	e.quantity = x->hosts;
	e.address = (uint64_t)x->places << 32 | (x->rung < UINT32_MAX ? x->rung : UINT32_MAX);
	event_say(&e, EVENT_BEFORE, x->from);
	event_say(&e, EVENT_AFTER, x->to);
	return e;
}

bool attacks_out(struct attacks *a, uint64_t now, struct event *ret)
{
	for (size_t i = 0; i < a->n; i++) {
		struct attack_alarm *x = &a->alarms[i];

		if (x->says == ATTACK_NOTHING)
			continue;
		*ret = of_alarm(x, (enum attack_event)x->says, now);
		x->says = ATTACK_NOTHING;
		return true;
	}
	return false;
}

bool attacks_seen(struct attacks *a, const struct attack_seen *s, uint64_t now, struct event *ret)
{
	struct attack_alarm *x = NULL;

	for (size_t i = 0; i < a->n; i++)
		if (s->number != 0 && a->alarms[i].number == s->number)
			x = &a->alarms[i];
	if (x == NULL)
		return false;
	x->acknowledged = s->silent_s == 0 ? now : 0;
	x->silent_until = s->silent_s == 0 ? 0 : now + s->silent_s;
	x->seen = x->count;
	x->seen_grave = x->grave;
	x->says = ATTACK_NOTHING;
	snprintf(x->by, sizeof(x->by), "%s", s->by);
	snprintf(x->person, sizeof(x->person), "%s", s->person);
	snprintf(x->reason, sizeof(x->reason), "%s", s->reason);
	a->changed = true;
	*ret = of_alarm(x, s->silent_s == 0 ? ATTACK_ACKNOWLEDGED : ATTACK_SILENCED, now);
	event_say(ret, EVENT_OBJECT, s->reason);
	event_say(ret, EVENT_BEFORE, s->person);
	event_say(ret, EVENT_AFTER, "");
	event_say(ret, EVENT_BY, s->by);
	if (s->silent_s != 0)
		ret->address = s->silent_s;
	return true;
}

bool attacks_rule(struct attacks *a, const struct attack_rule *rule, uint64_t now, struct event *ret)
{
	char text[ATTACK_RULE_TEXT];

	if (a->rule_version != 0 && memcmp(&a->rule, rule, sizeof(*rule)) == 0)
		return false;
	*ret = event_new(EVENT_ATTACK, now * SECOND);
	ret->code = ATTACK_THRESHOLDS;
	ret->space = ATTACK_CAUSES;
	if (a->rule_version != 0) {
		attack_rule_text(&a->rule, text);
		event_say(ret, EVENT_BEFORE, text);
	}
	attack_rule_text(rule, text);
	event_say(ret, EVENT_AFTER, text);
	a->rule = *rule;
	ret->value = ++a->rule_version;
	a->changed = true;
	return true;
}

/* ---- the self-test --------------------------------------------------------------------------- */

#define PLC "192.0.2.10"

static struct event test_event(enum attack_cause cause, uint64_t now)
{
	static const uint8_t kinds[ATTACK_CAUSES] = {
		[ATTACK_CONTROL] = EVENT_PDU,	[ATTACK_PROGRAM] = EVENT_PDU,  [ATTACK_WRITE] = EVENT_PDU,
		[ATTACK_SCAN] = EVENT_DROP,	[ATTACK_TRYING] = EVENT_DROP,  [ATTACK_FRESH] = EVENT_PASSED,
		[ATTACK_LOGIN] = EVENT_ACCOUNT, [ATTACK_SPOOFED] = EVENT_DROP,
	};
	struct event e = event_new((enum event_kind)kinds[cause], now * SECOND);

	(void)addr_parse("192.0.2.1", &e.client);
	(void)addr_parse(PLC, &e.server);
	e.verdict = cause == ATTACK_FRESH ? EV_ALLOW : EV_DENY;
	e.l4proto = IPPROTO_TCP;
	e.server_port = 102;
	e.reason = cause == ATTACK_SPOOFED ? R_SPOOFED : R_NO_CONDUIT;
	e.code = cause == ATTACK_FRESH ? PASSED_BEGAN : cause == ATTACK_LOGIN ? ACCOUNT_LOCKED : 0;
	if (cause == ATTACK_LOGIN)
		event_say(&e, EVENT_OBJECT, "test");
	return e;
}

/* Makes the event a command of that class, in any protocol that has one. */
static bool test_command(struct event *e, unsigned class)
{
	for (unsigned p = 0; p < PROTO_COUNT; p++) {
		const struct vocabulary *v = vocabulary_of((enum protocol)p);

		for (unsigned i = 0; v != NULL && i < v->n_functions; i++) {
			unsigned of = v->functions[i].classes;

			if ((of & class) == 0 || (class == CLASS_CONTROL && (of & CLASS_PROGRAM) != 0) ||
			    (class == CLASS_WRITE && (of & (CLASS_PROGRAM | CLASS_CONTROL)) != 0))
				continue;
			e->protocol = (uint16_t)p;
			e->function = v->functions[i].code;
			e->reason = v->refused[0];
			return true;
		}
	}
	return false;
}

static void test_one(struct attacks *a, enum attack_cause cause, uint64_t now)
{
	static const unsigned classes[ATTACK_CAUSES] = {
		[ATTACK_CONTROL] = CLASS_CONTROL, [ATTACK_PROGRAM] = CLASS_PROGRAM, [ATTACK_WRITE] = CLASS_WRITE
	};
	struct event e = test_event(cause, now);
	struct named n = { .interface = "test",
			   .interface_class = CLASS_OT,
			   .elsewhere = true,
			   .client = { .zone = "test" },
			   .server = { .zone = "test", .zone_class = CLASS_OT } };

	if (classes[cause] != 0 && !test_command(&e, classes[cause]))
		return;
	if (cause == ATTACK_FRESH) {
		/* Notes an earlier request of the host, so that the later ones count as new for a
		 * known host. */
		e.server_port = 1;
		attacks_note(a, &e, &n, now - (uint64_t)a->rule.learn_days * DAY_S);
		e.server_port = 102;
	}
	/* The estimate of places is inexact, so a scan is tested with twice as many places. */
	for (uint32_t i = 0; i < (cause == ATTACK_SCAN ? 2u : 1u) * a->rule.at_least[cause]; i++) {
		if (cause == ATTACK_SCAN || cause == ATTACK_FRESH)
			e.server_port = (uint16_t)(i + 2);
		/* When the ports of one host are used up, the next host follows. */
		if (cause == ATTACK_SCAN)
			e.server.b[3] = (uint8_t)(10u + (i >> 16));
		attacks_note(a, &e, &n, now);
	}
}

static void drop_tests(struct attacks *a)
{
	for (size_t i = a->n; i-- > 0;)
		if (a->alarms[i].test)
			drop_alarm(a, i);
}

void attacks_test(struct attacks *a, uint64_t now, struct event *ret)
{
	char missed[EVENT_TEXT] = "";
	size_t at = 0;

	drop_tests(a);
	memset(a->tests, 0, sizeof(a->tests));
	a->testing = true;
	for (unsigned i = 0; i < ATTACK_CAUSES; i++)
		test_one(a, (enum attack_cause)i, now);
	a->testing = false;
	a->test_missed = (1u << ATTACK_CAUSES) - 1;
	for (size_t i = 0; i < a->n; i++)
		if (a->alarms[i].test)
			a->test_missed &= ~(1u << a->alarms[i].cause);
	a->tested = now;
	a->changed = true;
	*ret = event_new(EVENT_ATTACK, now * SECOND);
	ret->code = a->test_missed == 0 ? ATTACK_TESTED : ATTACK_TEST_FAILED;
	ret->space = ATTACK_CAUSES;
	for (unsigned i = 0; i < ATTACK_CAUSES; i++) {
		if ((a->test_missed >> i & 1u) == 0)
			ret->quantity++;
		else if (at < sizeof(missed))
			at += (size_t)snprintf(missed + at, sizeof(missed) - at, "%s%s", at > 0 ? " " : "",
					       attack_word(i));
	}
	event_say(ret, EVENT_OBJECT, missed);
}
