/* SPDX-License-Identifier: Apache-2.0 */
/* How full the disk of the records is, looked at every ten seconds, and a record when it is nearly full and when there is room again. */
#include <stdio.h>

#include "appliance/base/clock.h"
#include "appliance/journal/role_private.h"

#define SECOND 1000000000u
#define MEGABYTE 1000000u

uint64_t role_disk_due(const struct journal_role *j)
{
	return j->disk_at;
}

void role_disk(struct journal_role *j, uint64_t now)
{
	struct disk_room room;
	enum disk_change what;
	char text[EVENT_TEXT];
	bool known;

	if (now < j->disk_at)
		return;
	j->disk_at = now + DISK_LOOK_NS;
	known = disk_read(j->chain.dirfd, &room) == 0;
	what = disk_take(&j->disk, known ? &room : NULL, now, clock_wall_ns());
	j->records_bytes = known ? disk_of_folder(j->chain.dirfd) : 0;
	if (what == DISK_SAME)
		return;
	snprintf(text, sizeof(text), "%u %%, %llu MB", disk_used_percent(&j->disk),
		 (unsigned long long)(room.free / MEGABYTE));
	role_put_own(j, what == DISK_NEARLY_FULL ? LOST_NEARLY_FULL : LOST_ROOM_AGAIN, 1, 0, text);
}

void role_disk_status(const struct journal_role *j, struct msg_journal_status *ret)
{
	const struct disk *d = &j->disk;

	if (!d->known)
		return;
	ret->disk_near = d->near;
	ret->disk_since = d->since_ns / SECOND;
	ret->disk_bytes = d->room.bytes;
	ret->disk_free = d->room.free;
	ret->disk_files = d->room.files;
	ret->disk_files_free = d->room.files_free;
	ret->disk_records = j->records_bytes;
	ret->disk_used = (uint8_t)disk_used_percent(d);
	ret->disk_full_in = disk_full_in(d);
}
