/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measures how long inspection takes: from the moment when the worker begins to read a packet's
 * batch until the verdicts of that batch have been sent. The time in the queue before that is not
 * known, because the kernel does not time-stamp queued packets. The measurement needs two readings
 * of the clock for each batch, and no allocation. A packet that waits for earlier bytes (at most 10
 * ms) is counted with the batch in which it arrived. Pure.
 */
#include <string.h>

#include "appliance/worker/worker.h"

#define US 1000u
#define QUARTER 250u

/*
 * The step to which a time belongs. Times are rounded up to quarters of a us, so the upper end of a
 * step belongs to the step. Step 0 holds up to 4 quarters. Step 4k + q + 1 (q from 0 to 3) holds
 * more than (4 + q) * 2^k and up to (5 + q) * 2^k quarters.
 */
static uint32_t step_of(uint64_t ns)
{
	uint64_t before = ns / QUARTER - (ns % QUARTER == 0 && ns > 0);
	uint32_t octave, step;

	if (before < 4)
		return 0;
	octave = 61u - (uint32_t)__builtin_clzll(before);
	step = octave * 4 + (uint32_t)(before >> octave) - 4 + 1;
	return step < LATENCY_STEPS ? step : LATENCY_STEPS - 1;
}

/* The upper end of a step in ns. */
static uint64_t end_of(uint32_t step)
{
	uint32_t octave = step > 0 ? (step - 1) / 4 : 0, quarter = step > 0 ? (step - 1) % 4 : 0;

	return step == 0 ? US : ((uint64_t)US << octave) * (5 + quarter) / 4;
}

static void turn_windows(struct latency *l, uint64_t now)
{
	uint64_t minute = now / LATENCY_WINDOW_NS;

	if (minute == l->minute)
		return;
	for (uint32_t s = 0; s < LANE_SHARES; s++) {
		if (minute != l->minute + 1)
			memset(l->shares[s].windows, 0, sizeof(l->shares[s].windows));
		memset(&l->shares[s].windows[minute % 2], 0, sizeof(l->shares[s].windows[0]));
	}
	l->minute = minute;
}

void latency_note(struct latency *l, uint32_t share, uint32_t n, uint64_t ns, uint64_t now)
{
	struct latency_share *s = &l->shares[share < LANE_SHARES ? share : 0];
	struct latency_window *w;
	uint32_t step = step_of(ns);

	if (share >= LANE_SHARES || n == 0)
		return;
	turn_windows(l, now);
	w = &s->windows[l->minute % 2];
	s->packets += n;
	s->sum_ns += ns * n;
	s->steps[step] += n;
	w->steps[step] += n;
	w->max_ns = ns > w->max_ns ? ns : w->max_ns;
}

static uint64_t in_both(const struct latency_share *s, uint32_t step)
{
	return s->windows[0].steps[step] + s->windows[1].steps[step];
}

/* The upper end of the step that contains the time of this rank. Rank 1 is the shortest time. */
static uint64_t at_rank(const struct latency_share *s, uint64_t rank)
{
	uint64_t n = 0;
	uint32_t step = 0;

	while (step < LATENCY_STEPS && (n += in_both(s, step)) < rank)
		step++;
	return end_of(step < LATENCY_STEPS ? step : LATENCY_STEPS - 1);
}

struct latency_recent latency_recent(struct latency *l, uint32_t share, uint64_t now)
{
	struct latency_recent r = { 0 };
	const struct latency_share *s;
	uint64_t n = 0;

	if (share >= LANE_SHARES)
		return r;
	turn_windows(l, now);
	s = &l->shares[share];
	for (uint32_t step = 0; step < LATENCY_STEPS; step++)
		n += in_both(s, step);
	if (n == 0)
		return r;
	r.max_ns = s->windows[0].max_ns > s->windows[1].max_ns ? s->windows[0].max_ns : s->windows[1].max_ns;
	r.p50_ns = at_rank(s, (n + 1) / 2);
	r.p99_ns = at_rank(s, n - n / 100);
	/* A result is never above the largest measured time. */
	r.p50_ns = r.p50_ns < r.max_ns ? r.p50_ns : r.max_ns;
	r.p99_ns = r.p99_ns < r.max_ns ? r.p99_ns : r.max_ns;
	return r;
}

uint64_t latency_within(const struct latency *l, uint32_t share, uint32_t us)
{
	uint32_t last = step_of((uint64_t)us * US);
	uint64_t n = 0;

	for (uint32_t step = 0; share < LANE_SHARES && step <= last; step++)
		n += l->shares[share].steps[step];
	return n;
}

static uint64_t untold(const struct latency *l)
{
	uint64_t n = 0;

	for (uint32_t s = 0; s < LANE_SHARES; s++)
		n += l->shares[s].packets;
	return n - l->told;
}

uint64_t latency_due(const struct latency *l, uint64_t now)
{
	if (untold(l) == 0)
		return UINT64_MAX;
	return now < l->told_at ? l->told_at - now : 0;
}

uint64_t latency_told(struct latency *l, uint64_t now, uint64_t *ret_p99_ns)
{
	uint64_t n = untold(l);

	if (n == 0 || now < l->told_at)
		return 0;
	*ret_p99_ns = 0;
	for (uint32_t s = 0; s < LANE_SHARES; s++) {
		struct latency_recent r = latency_recent(l, s, now);

		*ret_p99_ns = r.p99_ns > *ret_p99_ns ? r.p99_ns : *ret_p99_ns;
	}
	l->told += n;
	l->told_at = now + LATENCY_WINDOW_NS;
	return n;
}
