/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "appliance/base/version.h"
#include "mgmt/cli/preserve/take.h"

#define TEXT_MOST 65536u

static uint64_t clock_ns(clockid_t which)
{
	struct timespec t = { 0 };

	(void)clock_gettime(which, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* What the kernel knows of how right its clock is. */
static json_t *kernel_clock(void)
{
	struct timex t = { 0 };
	int state = adjtimex(&t);

	return json_pack("{s:i,s:b,s:I,s:I,s:I,s:f}", "state", state, "synchronised",
			 state >= 0 && state != TIME_ERROR && (t.status & STA_UNSYNC) == 0, "offset_us",
			 (json_int_t)((t.status & STA_NANO) != 0 ? t.offset / 1000 : t.offset), "max_error_us",
			 (json_int_t)t.maxerror, "estimated_error_us", (json_int_t)t.esterror, "frequency_ppm",
			 (double)t.freq / 65536.0);
}

static json_t *line_of(const char *path)
{
	struct err e = { 0 };
	uint8_t *text = NULL;
	json_t *ret;
	size_t n = 0;

	if (file_read(AT_FDCWD, path, TEXT_MOST, &text, &n, &e) < 0)
		return json_null();
	text[strcspn((char *)text, "\n")] = '\0';
	ret = json_text((const char *)text);
	free(text);
	return ret;
}

void take_machine(struct bundle *b)
{
	struct utsname u = { 0 };
	struct err e = { 0 };
	uint8_t *text = NULL;
	size_t n = 0;

	(void)uname(&u);
	(void)bundle_put_json(b, "machine.json",
			      json_pack("{s:o,s:I,s:I,s:o,s:o,s:s,s:o,s:o,s:o,s:o}", "time", json_time(clock_wall_ns()),
					"monotonic_ns", (json_int_t)clock_ns(CLOCK_MONOTONIC), "since_start_ns",
					(json_int_t)clock_ns(CLOCK_BOOTTIME), "start_id",
					line_of("/proc/sys/kernel/random/boot_id"), "clock", kernel_clock(), "version",
					SEKISHO_VERSION, "host", json_text(u.nodename), "kernel", json_text(u.release),
					"kernel_build", json_text(u.version), "machine", json_text(u.machine)));
	if (file_read(AT_FDCWD, "/usr/lib/os-release", TEXT_MOST, &text, &n, &e) < 0)
		bundle_miss_code(b, "os-release", -e.code);
	else
		(void)bundle_put(b, "os-release", text, n);
	free(text);
}
