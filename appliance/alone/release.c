/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekishod --release`: returns devices to the first namespace without a daemon, from the state on
 * the disk. `sekisho release` starts it when nobody answers. It holds the lock of the state folder,
 * so that no daemon starts meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/alone/alone.h"
#include "appliance/base/clock.h"
#include "appliance/base/json_each.h"
#include "appliance/box/loan.h"
#include "appliance/box/netns.h"
#include "appliance/role/who.h"
#include "appliance/store/kept.h"
#include "appliance/supervise/guard.h"
#include "appliance/supervise/kept.h"
#include "appliance/supervise/supervise.h"

/* Opens a namespace by its name. A namespace that does not exist is not made, because it has no
 * device. */
static int space(const json_t *kept, const char *key, const char *otherwise)
{
	const char *name = json_string_value(json_object_get(kept, key));
	char path[160];

	if (name == NULL || *name == '\0')
		name = otherwise;
	if (strchr(name, '/') != NULL || snprintf(path, sizeof(path), NETNS_FOLDER "/%s", name) >= (int)sizeof(path))
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int answer_line(int status, json_t *j)
{
	json_line(stdout, j);
	return status;
}

static int answer_cannot(enum message m, const char *what)
{
	struct sentence why;

	sentence_say(&why, m, what);
	return answer_line(ANSWER_CANNOT, json_pack("{s:b, s:o}", "done", 0, "error", sentence_json(&why)));
}

/*
 * The policy's devices are not known here, so all devices are marked as released: only the next
 * apply takes them again. The next start writes the records of who did this, and when.
 */
static int give_alone(int state, const struct box_spaces *spaces, json_t *kept, const char *device)
{
	json_t *wanted = kept_wanted(kept, device), *reports, *picture;
	struct err e = { 0 };
	const char *each;
	char by[USER_BY];
	int r;

	who_name(getpid(), getuid(), by, sizeof(by));
	json_object_foreach(wanted, each, picture) {
		kept_released(kept, each, by);
		kept_going(kept, each);
		kept_tell_later(kept, each, by, clock_wall_ns());
	}
	r = kept_save(state, kept, &e);
	if (r == 0) {
		reports = loan_give_back(spaces, wanted);
		json_object_foreach(wanted, each, picture) {
			if (!loan_stuck(reports, each))
				kept_gone(kept, each);
			else
				kept_tell_not(kept, each);
		}
		json_each(one, reports)
			if (json_string_length(json_object_get(one, "now")) == 0)
				kept_tell_not(kept, json_string_value(json_object_get(one, "device")));
		r = kept_save(state, kept, &e);
	} else {
		reports = NULL;
	}
	json_decref(wanted);
	if (r < 0) {
		json_decref(reports);
		return answer_cannot(M_KEPT_UNSAVED, e.text);
	}
	if (reports == NULL)
		return answer_cannot(M_RELEASE_CANNOT, "memory");
	r = given_back_whole(reports) ? ANSWER_YES : ANSWER_NO;
	return answer_line(r, json_pack("{s:b, s:o}", "done", 1, "given_back", reports));
}

int release_alone(const struct supervise_options *o, const char *device, bool list)
{
	struct box_spaces spaces = { -1, -1, -1 };
	int state = open(o->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC), status;
	const int closed = state < 0 ? errno : 0;
	struct err e = { 0 };
	bool damaged = false;
	json_t *kept;

	if (device != NULL && (strlen(device) > DEVICE_MOST || strchr(device, '/') != NULL || *device == '\0'))
		return answer_cannot(M_RELEASE_UNKNOWN, device);
	if (state >= 0 && !list && lock_folder(state, &e) < 0)
		return answer_cannot(M_RELEASE_RUNNING, o->state);
	if (closed == ENOENT)
		return answer_cannot(M_RELEASE_NO_STATE, o->state);
	kept = state >= 0 ? kept_load(state, &damaged, &e) : NULL;
	spaces.home = netns_own(&e);
	if (kept == NULL || spaces.home < 0) {
		if (state < 0)
			err_set(&e, -closed, "%s", o->state);
		return answer_cannot(M_RELEASE_CANNOT, e.text);
	}
	if (damaged)
		message_print(stderr, o->lang, M_RELEASE_DAMAGED);
	spaces.data = space(kept, "data", o->data_netns);
	spaces.admin = space(kept, "admin", o->admin_netns);
	if (list)
		status = answer_line(ANSWER_YES, json_pack("{s:o}", "kept", kept_json(kept)));
	else
		status = give_alone(state, &spaces, kept, device);
	if (!list && home_guard(kept, NULL, NULL, &e) < 0)
		message_print(stderr, o->lang, M_HOME_UNGUARDED, e.text);
	json_decref(kept);
	for (size_t i = 0; i < 3; i++) {
		int fd = i == 0 ? spaces.home : i == 1 ? spaces.data : spaces.admin;

		if (fd >= 0)
			close(fd);
	}
	close(state);
	return status;
}
