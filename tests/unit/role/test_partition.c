/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is written to a control group that the daemon may divide, and that a start never depends on
 * it. The group is a folder of files here.
 *
 * LINK: appliance/role/partition.c appliance/role/sandbox_table.c appliance/wire/msg.c
 * LINK: appliance/base/sentence.c appliance/base/messages.c appliance/base/errno_text.c
 * LINK: appliance/base/err.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/memfd.c appliance/base/utf8.c appliance/base/bytes.c appliance/base/sha256.c
 * LIBS: jansson libseccomp nettle
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "appliance/role/partition.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"
#include "tests/unit/folder.h"

#define GIB ((uint64_t)1 << 30)

static void put(const struct folder *f, const char *name, const char *text)
{
	int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static const char *get(const struct folder *f, const char *name)
{
	static char text[256];
	int fd = openat(f->fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	assert_true(n >= 0);
	text[n > 0 ? n : 0] = 0;
	close(fd);
	return text;
}

static void group(const struct folder *f, const char *name, const char *const *files)
{
	char path[128];

	assert_int_equal(mkdirat(f->fd, name, 0700), 0);
	for (; *files != NULL; files++) {
		snprintf(path, sizeof(path), "%s/%s", name, *files);
		put(f, path, "");
	}
}

/* The files as the kernel shows them. */
static void groups(const struct folder *f)
{
	static const char *const one[] = { "cgroup.procs", "memory.max", NULL };
	char name[64];

	put(f, "cgroup.controllers", "cpuset cpu io memory pids\n");
	put(f, "cgroup.subtree_control", "");
	group(f, "guard", (const char *const[]){ "cgroup.procs", "memory.min", "memory.current", "cpu.weight", NULL });
	group(f, "parsers",
	      (const char *const[]){ "cgroup.procs", "cgroup.subtree_control", "memory.max", "memory.swap.max",
				     "memory.current", "memory.events", "cpu.weight", NULL });
	for (unsigned i = 0; i < PAIR_MAX; i++) {
		snprintf(name, sizeof(name), "parsers/dpi-%u", i);
		group(f, name, one);
	}
	group(f, "parsers/tap", one);
	group(f, "parsers/mgmt", one);
	group(f, "parsers/accounts", one);
	group(f, "parsers/compile", one);
}

static struct partition none(void)
{
	struct partition p = { .guard = -1, .parsers = -1, .score = -1 };

	for (unsigned i = 0; i < SLOTS; i++)
		p.group[i] = -1;
	return p;
}

static struct partition made(const struct folder *f)
{
	struct partition p = none();

	partition_make(f->fd, 4 * GIB, &p);
	return p;
}

static bool parses(enum role r)
{
	return r == ROLE_DPI || r == ROLE_TAP || r == ROLE_MGMT || r == ROLE_ACCOUNTS || r == ROLE_COMPILE;
}

static void every_value(void **state)
{
	const struct folder *f = *state;
	struct partition p;
	json_t *j;

	groups(f);
	put(f, "guard/memory.current", "31457280\n");
	put(f, "parsers/memory.current", "104857600\n");
	put(f, "parsers/memory.events", "low 0\nhigh 0\nmax 41\noom 3\noom_kill 2\noom_group_kill 0\n");
	p = made(f);
	assert_int_equal(p.state, PARTITION_STANDS);
	assert_true(p.cores);
	assert_string_equal(get(f, "guard/cgroup.procs"), "0");
	assert_string_equal(get(f, "guard/memory.min"), "67108864");
	assert_string_equal(get(f, "guard/cpu.weight"), "900");
	assert_string_equal(get(f, "parsers/cpu.weight"), "100");
	assert_string_equal(get(f, "parsers/cgroup.procs"), "");
	assert_string_equal(get(f, "parsers/cgroup.subtree_control"), "+memory");
	assert_string_equal(get(f, "parsers/memory.max"), "3221225472");
	assert_string_equal(get(f, "parsers/memory.swap.max"), "0");
	assert_string_equal(get(f, "parsers/dpi-0/memory.max"), "268435456");
	assert_string_equal(get(f, "parsers/dpi-15/memory.max"), "268435456");
	assert_string_equal(get(f, "parsers/tap/memory.max"), "67108864");
	assert_string_equal(get(f, "parsers/mgmt/memory.max"), "536870912");
	/* The limit that the compiler's own allocations reach first, and report, is 2 GiB. */
	assert_string_equal(get(f, "parsers/compile/memory.max"), "2415919104");
	for (unsigned i = 0; i < SLOTS; i++)
		assert_int_equal(p.group[i] >= 0, parses(slot_role(i)));
	j = partition_json(&p);
	assert_true(json_is_true(json_object_get(j, "stands")));
	assert_true(json_is_null(json_object_get(j, "why")));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "guard"), "memory")), 31457280);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "guard"), "kept")), 67108864);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "parsers"), "memory")), 104857600);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "parsers"), "most")), 3221225472);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "parsers"), "ended")), 2);
	json_decref(j);
}

/* All roles run, and none in a group: a partly divided group counts as not divided. */
static void stays(const struct partition *p, enum partition_state why, const char *en, const char *ja)
{
	json_t *j = partition_json(p), *said = json_object_get(j, "why");

	assert_int_equal(p->state, why);
	for (unsigned i = 0; i < SLOTS; i++)
		assert_int_equal(p->group[i], -1);
	assert_true(json_is_false(json_object_get(j, "stands")));
	if (strstr(json_string_value(json_object_get(said, "en")), en) == NULL ||
	    strstr(json_string_value(json_object_get(said, "ja")), ja) == NULL)
		fail_msg("%s; %s", json_string_value(json_object_get(said, "en")),
			 json_string_value(json_object_get(said, "ja")));
	json_decref(j);
}

static void without_memory(void **state)
{
	static const char *const lists[] = { "", "\n", "hugetlb\n", "cpu memory_of_another pids\n" };
	const struct folder *f = *state;

	groups(f);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct partition p;

		put(f, "cgroup.controllers", lists[i]);
		p = made(f);
		stays(&p, PARTITION_NO_MEMORY, "version 1", "cgroup v1");
		/* Nothing was changed, and the process stays in its group. */
		assert_string_equal(get(f, "guard/cgroup.procs"), "");
	}
}

static void whatever_is_missing(void **state)
{
	static const struct {
		const char *file, *named;
	} missing[] = {
		{ "guard/cgroup.procs", "cgroup.procs" },
		{ "cgroup.subtree_control", "cgroup.subtree_control" },
		{ "guard/memory.min", "memory.min" },
		{ "parsers/memory.max", "memory.max" },
		{ "parsers/cgroup.subtree_control", "cgroup.subtree_control" },
		{ "parsers/dpi-7/memory.max", "memory.max" },
		{ "parsers/dpi-15/cgroup.procs", "dpi-15" },
	};
	const struct folder *f = *state;

	groups(f);
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		struct partition p;

		assert_int_equal(unlinkat(f->fd, missing[i].file, 0), 0);
		p = made(f);
		stays(&p, PARTITION_FAILED, missing[i].named, missing[i].named);
		put(f, missing[i].file, "");
	}
	assert_int_equal(made(f).state, PARTITION_STANDS);
}

/* Reserved cores are less important: real-time priorities work without them, and a kernel may have
 * no cpuset. */
static void without_cores_or_swap(void **state)
{
	static const char *const files[] = { "guard/cpu.weight", "parsers/cpu.weight", "parsers/memory.swap.max" };
	const struct folder *f = *state;

	groups(f);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		assert_int_equal(unlinkat(f->fd, files[i], 0), 0);
	assert_int_equal(made(f).state, PARTITION_STANDS);
	assert_false(made(f).cores);
}

/* An empty folder, as of a kernel that shows no files: groups are made there, without an effect. */
static void no_files_at_all(void **state)
{
	const struct folder *f = *state;
	struct partition p;

	put(f, "cgroup.controllers", "memory\n");
	p = made(f);
	stays(&p, PARTITION_FAILED, "cgroup.procs", "cgroup.procs");
}

static void forked(const struct partition *p, unsigned slot)
{
	pid_t pid = partition_fork(p, slot);
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(7);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void a_child_joins(void **state)
{
	const struct folder *f = *state;
	struct partition p;

	groups(f);
	put(f, "score", "");
	p = made(f);
	p.score = openat(f->fd, "score", O_RDWR | O_CLOEXEC);
	p.own_score = -900;
	/* The role enforce stays in the daemon's group, also with its OOM score. */
	forked(&p, SLOT_ENFORCE);
	forked(&p, SLOT_GATE);
	assert_string_equal(get(f, "score"), "");
	forked(&p, SLOT_DPI + 3);
	assert_string_equal(get(f, "parsers/dpi-3/cgroup.procs"), "0");
	assert_string_equal(get(f, "parsers/dpi-4/cgroup.procs"), "");
	/* The daemon's own score is unchanged once the child has the other one. */
	assert_string_equal(get(f, "score"), "-900");
	/* A score that is worse than that of the roles is not improved; and a role that cannot join
	 * a group runs all the same. */
	put(f, "score", "");
	p.own_score = 0;
	close(p.group[SLOT_TAP]);
	p.group[SLOT_TAP] = f->fd;
	forked(&p, SLOT_TAP);
	assert_string_equal(get(f, "score"), "");
	close(p.score);
	/* A daemon without groups and without a score file does nothing. */
	p = none();
	forked(&p, SLOT_DPI);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_value, setup, teardown),
		cmocka_unit_test_setup_teardown(without_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(whatever_is_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(without_cores_or_swap, setup, teardown),
		cmocka_unit_test_setup_teardown(no_files_at_all, setup, teardown),
		cmocka_unit_test_setup_teardown(a_child_joins, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
