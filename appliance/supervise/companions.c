/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the settings of companions (box/companions.h) to the run folder, by the generation in
 * force. When there is no setting any more, the file is deleted. An unchanged file is not written,
 * because the program restarts at each change.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/box/companions.h"
#include "appliance/supervise/companions.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/supervise.h"
#include "appliance/supervise/ups.h"
#include "appliance/wire/hours.h"
#include "appliance/wire/said.h"
#include "appliance/wire/settings.h"

static bool file_says(const struct ground *ground, const char *name, const char *text, size_t n)
{
	uint8_t *there = NULL;
	size_t n_there;
	bool same = file_read(ground->run_fd, name, COMPANION_TEXT, &there, &n_there, NULL) == 0 && n_there == n &&
		    memcmp(there, text, n) == 0;

	free(there);
	return same;
}

/* Writes the file, which programs of other users read; it holds no secret. If that fails, the rules
 * are in force anyway, and the next generation or start tries again. */
static void put_file(const struct supervisor *s, const char *name, const char *text, int n)
{
	struct err e = { 0 };

	if (n < 0)
		err_set(&e, n, "settings of %s", name);
	else if (n == 0 && unlinkat(s->ground.run_fd, name, 0) < 0 && errno != ENOENT)
		err_set(&e, -errno, "remove %s", name);
	else if (n > 0 && !file_says(&s->ground, name, text, (size_t)n))
		(void)atomic_write_mode(s->ground.run_fd, name, text, (size_t)n, 0644, &e);
	if (e.code != 0)
		supervisor_say(s, M_BESIDE_FAILED, name, e.text);
}

void beside_write(struct supervisor *s)
{
	const struct companion_box box = { s->ground.o->state, s->ground.o->admin_netns, s->ground.o->lang };
	char text[COMPANION_TEXT];

	people_zone(s->gens.now->ir->time_zone);
	put_file(s, ZONE_FILE, text,
		 s->gens.now->ir->time_zone[0] == '\0'
			 ? 0
			 : snprintf(text, sizeof(text), "%s\n", s->gens.now->ir->time_zone));
	for (enum companion_file f = 0; f < COMPANION_FILES; f++)
		put_file(s, companion_file_name(f), text, companion_file(f, s->gens.now->ir, &box, text));
}

bool beside_try(struct supervisor *s, const char *service)
{
	struct err e = { 0 };

	if (strcmp(service, "backup") == 0)
		return atomic_write(s->ground.run_fd, BACKUP_NOW, "", 0, &e) == 0;
	/* chronyd starts anew with its settings, and asks its sources at once. */
	if (strcmp(service, "time") != 0 || s->gens.now == NULL ||
	    unlinkat(s->ground.run_fd, companion_file_name(COMPANION_TIME), 0) < 0)
		return strcmp(service, SERVICE_MESSAGES) == 0;
	beside_write(s);
	return true;
}

bool beside_ready(const struct ir *ir, struct sentence *ret)
{
	for (uint32_t i = 0; i < ir->n_peers; i++)
		if (ir->peers[i].ca[0] != '\0' && !authority_ready(ir->peers[i].ca, ret))
			return false;
	return true;
}

#define LOOK_NS (2 * SECOND)
#define POWER_OFF "power-off" /* the file that sekisho-power-off.path waits for */

static void power_off(struct supervisor *s, const struct ir_peer *p)
{
	const char text[] = "ups\n";
	struct err e = { 0 };

	if (!p->power_off) {
		machine_event(&s->ground, MACHINE_UPS_STAYS, (struct said){ .object = s->reported.ups.of });
		return;
	}
	if (atomic_write(s->ground.run_fd, POWER_OFF, text, sizeof(text) - 1, &e) < 0) {
		supervisor_say(s, M_BESIDE_FAILED, POWER_OFF, e.text);
		s->reported.ups.watch.done = false; /* the next look tries again */
		return;
	}
	supervisor_say(s, M_UPS_POWER_OFF);
	machine_event(&s->ground, MACHINE_UPS_POWER_OFF, (struct said){ .object = s->reported.ups.of });
}

/* Deletes the file that orders to turn the machine off. If systemd has not acted on it yet, or the
 * mains came back, a file left behind must not turn off a box that works. */
static void take_back(struct ground *ground)
{
	unlinkat(ground->run_fd, POWER_OFF, 0);
}

static void happened(struct supervisor *s, const struct ir_peer *p, unsigned what, const struct ups_report *now)
{
	static const struct {
		unsigned bit;
		uint8_t code;
	} codes[] = { { UPS_WENT_AWAY, MACHINE_UPS_AWAY },     { UPS_CAME_BACK, MACHINE_UPS_ANSWERS },
		      { UPS_ON_BATTERY, MACHINE_UPS_BATTERY }, { UPS_ON_MAINS, MACHINE_UPS_MAINS },
		      { UPS_IS_LOW, MACHINE_UPS_LOW },	       { UPS_IS_FORCED, MACHINE_UPS_FORCED } };
	char object[UPS_NAME_MOST + 32];

	if (now->charge >= 0)
		snprintf(object, sizeof(object), "%s, %d %%", s->reported.ups.of, now->charge);
	else
		snprintf(object, sizeof(object), "%s", s->reported.ups.of);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if ((what & codes[i].bit) != 0)
			machine_event(&s->ground, codes[i].code, (struct said){ .object = object });
	if ((what & UPS_ON_MAINS) != 0)
		take_back(&s->ground);
	if ((what & UPS_OFF_NOW) != 0)
		power_off(s, p);
}

uint64_t ups_due(struct supervisor *s, uint64_t now)
{
	const struct ir_peer *p = companion_server(s->gens.now->ir, PEER_UPS);
	char of[UPS_NAME_MOST] = "";
	struct ups_report say;

	if (now < s->reported.ups.look_at)
		return p != NULL ? s->reported.ups.look_at : UINT64_MAX;
	if (p != NULL)
		companion_ups_name(p, of, sizeof(of));
	if (s->reported.ups.look_at == 0 || strcmp(of, s->reported.ups.of) != 0) {
		s->reported.ups.watch = (struct ups_watch){ .heard = false };
		memcpy(s->reported.ups.of, of, sizeof(of));
		take_back(&s->ground);
	}
	s->reported.ups.look_at = now + LOOK_NS;
	/* Until now the state was only recorded, so the time is counted from now on. */
	if (p != NULL && p->power_off && !s->reported.ups.turns_off)
		s->reported.ups.watch.done = false;
	s->reported.ups.turns_off = p != NULL && p->power_off;
	if (p == NULL)
		return UINT64_MAX;
	say = ups_now(s->ground.o->run, of);
	happened(s, p, ups_look(&s->reported.ups.watch, &say, companion_now_s()), &say);
	return s->reported.ups.look_at;
}
