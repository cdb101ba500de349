/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/netns/queue/liar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/wire/mark.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/ring.h"
#include "appliance/wire/role.h"
#include "appliance/worker/form.h"

#define FOREIGN_LANE 20u /* the driver gives this lane to no worker */

static uint64_t state;

static uint32_t random32(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33);
}

static void rest(void)
{
	for (;;)
		nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
}

static void announce(struct ring *r, int wake)
{
	uint64_t one = 1;

	atomic_fetch_add(&r->heartbeat, 1);
	if (write(wake, &one, sizeof(one)) < 0)
		exit(1);
}

static void push_accepts(struct ring *r, int wake, uint16_t queue, uint32_t permit)
{
	for (uint32_t id = 1; id <= 1000; id++) {
		struct ring_entry e = {
			.kind = RING_VERDICT, .outcome = OUTCOME_CONFIRMED, .queue = queue, .id = id, .permit = permit
		};

		ring_push(r, &e);
	}
	announce(r, wake);
}

/* Asks for verdicts on packets of every lane, over the ring of its own lane. */
static void say_for_others(struct ring *r, const int fds[LANE_COUNT])
{
	const struct form_entry yes = { .permit = 7, .outcome = OUTCOME_CONFIRMED };

	for (unsigned round = 0; round < 50; round++) {
		for (uint32_t mine = 0; mine < LANE_COUNT; mine++)
			for (uint32_t other = 0; other < LANE_COUNT && fds[mine] >= 0; other++)
				for (struct form_entry e = yes; other != mine && e.id <= 20; e.id++) {
					form_accept(fds[mine], lane_queue(other, 0), &e, 1);
					form_upto(fds[mine], lane_queue(other, 0), &e);
				}
		atomic_fetch_add(&r->heartbeat, 1);
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	}
}

/* Asks for resets of sessions that do not exist, with invented numbers, between `a` (IPv4, its last
 * byte counted up) and the server. */
static void push_strays(struct ring *r, int wake, uint16_t queue, const char *a, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct ring_entry e = { .kind = RING_RESET,
					.queue = queue,
					.family = 4,
					.stray = 1,
					.client_port = 40000,
					.server_port = 5001 };
		struct ring_sides s = { .kind = RING_RESET_SIDES,
					.to_client = { .seq = random32(), .valid = 1 },
					.to_server = { .seq = random32(), .valid = 1 } };

		memcpy(e.u.a.client, a, 4);
		e.u.a.client[3] = (uint8_t)(e.u.a.client[3] + i % 8);
		memcpy(e.u.a.server, "\x0a\x52\x00\x02", 4);
		ring_push(r, &e);
		ring_push(r, &s);
	}
	announce(r, wake);
}

/* Has every packet of the cut lane dropped as it comes, by guessing ids, and asks for far too many
 * resets each time. */
static void cut_and_reset(struct ring *r, int wake, uint16_t queue)
{
	for (unsigned round = 0; round < 25; round++) {
		announce(r, wake);
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
		for (uint32_t id = 1; id <= 200; id++)
			ring_push(r, &(struct ring_entry){
					     .kind = RING_VERDICT, .outcome = OUTCOME_DROP, .queue = queue, .id = id });
		/* for a pair in the policy and for one that is not, alternately */
		for (unsigned i = 0; i < 20; i++) {
			push_strays(r, wake, queue, "\x0a\x51\x00\x02", 1);
			push_strays(r, wake, queue, "\x0a\x09\x00\x02", 1);
		}
	}
}

static void push_rubbish(struct ring *r, int wake)
{
	for (unsigned n = 0; n < 1000; n++) {
		uint8_t e[64];

		for (unsigned i = 0; i < 64; i++)
			e[i] = (uint8_t)random32();
		/* Sometimes an entry that looks right at first. */
		if (n % 3 == 0)
			e[0] = (uint8_t)(1 + random32() % 3);
		ring_push(r, e);
	}
	announce(r, wake);
}

int role_liar(const char *how)
{
	char kind[32] = "";
	struct ring *ring = NULL;
	uint16_t queue = 0;
	int wake = -1, fds[LANE_COUNT];
	struct msg m;

	memset(fds, -1, sizeof(fds));
	sscanf(how, "liar %lu %31s", (unsigned long *)&state, kind);
	if (forms_make(NULL) < 0 || sandbox_enter(ROLE_DPI, NULL) < 0 ||
	    msg_send(ROLE_FD_CONTROL, 0, &(struct msg_body){ .type = MSG_READY }, NULL, 0) < 0)
		return 1;
	while (ring == NULL || queue == 0) {
		if (msg_recv(ROLE_FD_CONTROL, ROLE_SUPERVISOR, ROLE_DPI, &m) != 1)
			return 1;
		if (m.body.type == MSG_DPI_START) {
			ring = ring_map(m.fds[0], NULL);
			wake = m.fds[1];
		} else if (m.body.type == MSG_LANE) {
			fds[m.body.lane.lane] = m.fds[0];
			if ((strncmp(kind, "cut", 3) != 0 && strncmp(kind, "stray", 5) != 0) ||
			    m.body.lane.lane == LANE_CUT)
				queue = lane_queue(m.body.lane.lane, 0);
		}
	}
	while (atomic_load(&ring->open) == 0)
		nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
	if (strcmp(kind, "rubbish") == 0) {
		push_rubbish(ring, wake);
	} else if (strcmp(kind, "counter") == 0) {
		atomic_store(&ring->head, 1u << 31);
		announce(ring, wake);
	} else if (strcmp(kind, "forms") == 0) {
		say_for_others(ring, fds);
	} else if (strcmp(kind, "foreign") == 0) {
		push_accepts(ring, wake, lane_queue(FOREIGN_LANE, 0), 1);
	} else if (strcmp(kind, "strays") == 0) {
		push_strays(ring, wake, queue, "\x0a\x51\x00\x02", 1000);
	} else if (strcmp(kind, "stray_each") == 0) {
		cut_and_reset(ring, wake, queue);
	} else if (strcmp(kind, "cut_said") == 0) {
		ring_push(ring,
			  &(struct ring_entry){
				  .kind = RING_VERDICT, .outcome = OUTCOME_DROP, .said = 1, .queue = queue, .id = 1 });
		announce(ring, wake);
	} else if (strcmp(kind, "cut") == 0) {
		push_accepts(ring, wake, queue, 7);
	} else {
		push_accepts(ring, wake, queue, 0);
	}
	rest();
	return 0;
}
