/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of the steps matters. Limits and priority come first, because root may still set them.
 * User and capabilities come next. Changing them clears the death signal and the dumpable flag, so
 * these are set after that. Landlock and seccomp need no_new_privs. The filter of system calls is
 * last, because it forbids all these steps.
 */
#include "appliance/role/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "appliance/role/sandbox_table.h"

#define MIB 1048576u

/* A build with sanitizers gets no memory limit, because it reserves terabytes of address space. The
 * sanitizer also opens the program's file for its reports. */
#if defined(__SANITIZE_ADDRESS__)
#define LIMIT_MEMORY false
/* No leak check at the end of a process: it would trace itself, which no sandbox allows. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) /* NOLINT(bugprone-reserved-identifier) */
{
	return "detect_leaks=0";
}
#else
#define LIMIT_MEMORY true
#endif

/* ---- limits and identity --------------------------------------------------------------------- */

static int limit_resource(int what, rlim_t value, struct err *e)
{
	struct rlimit old, l = { .rlim_cur = value, .rlim_max = value };

	/* A stricter limit that exists already stays. */
	if (getrlimit((__rlimit_resource_t)what, &old) == 0 && old.rlim_max < value)
		l.rlim_cur = l.rlim_max = old.rlim_max;
	if (setrlimit((__rlimit_resource_t)what, &l) < 0)
		return err_set(e, -errno, "resource limit %d", what);
	return 0;
}

static int limit_resources(const struct profile *p, bool naming, struct err *e)
{
	int r = limit_resource(RLIMIT_NOFILE, p->descriptors, e);

	if (r == 0)
		r = limit_resource(RLIMIT_CORE, 0, e);
	if (r == 0)
		r = limit_resource(RLIMIT_NPROC, 0, e);
	if (r == 0)
		r = limit_resource(RLIMIT_FSIZE, (rlim_t)p->file_mib * MIB, e);
	if (r == 0 && p->memory_mib != 0 && LIMIT_MEMORY)
		r = limit_resource(RLIMIT_AS, (rlim_t)p->memory_mib * MIB, e);
	/* Some containers forbid real-time priority. Then only the nice value below has an
	 * effect. */
	if (r == 0 && p->realtime != 0)
		sched_setscheduler(
			0, SCHED_RR | SCHED_RESET_ON_FORK,
			&(const struct sched_param){ .sched_priority = p->realtime - (naming ? NAMING_BELOW : 0) });
	if (r == 0 && setpriority(PRIO_PROCESS, 0, p->nice + (naming ? NAMING_BELOW : 0)) < 0)
		r = err_set(e, -errno, "priority %d", p->nice);
	return r;
}

static int drop_identity(int id, const char *what, const struct profile *p, bool naming, struct err *e)
{
	uint64_t keeps = p->capabilities | (naming ? 0 : p->for_commands);

	capng_clear(CAPNG_SELECT_ALL);
	for (unsigned c = 0; c < 64; c++)
		if ((keeps >> c) & 1u)
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, c);
	if (capng_change_id(id, id, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING | CAPNG_CLEAR_AMBIENT) != 0)
		return err_set(e, -EPERM, "become user %d with the capabilities of %s", id, what);
	return 0;
}

/* Sets the death signal again, because the change of the user has cleared it. `parent`: the
 * parent's process id, read before that change. */
static int set_flags(pid_t parent, struct err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_set(e, -errno, "process flags");
	/* If the parent died before the prctl(), no signal will come. */
	if (getppid() != parent)
		return err_set(e, -ECHILD, "parent is gone");
	return 0;
}

/* ---- files: Landlock, where the kernel has it ------------------------------------------------ */

/* All rights of every Landlock version so far, in the kernel's numbering; this system's header may
 * know fewer. */
#define FS_V1 0x1fffu	      /* execute, write and read files, read folders, remove, make */
#define FS_REFER 0x2000u      /* version 2 */
#define FS_TRUNCATE 0x4000u   /* version 3 */
#define FS_IOCTL 0x8000u      /* version 5 */
#define FS_READ 0xcu	      /* read file, read folder */
#define FS_WRITES 0x1ff2u     /* write file, remove, make */
#define FS_WRITE_FILE 0x4002u /* for a single file: write, truncate */
/* read, write, remove and make files and folders, truncate; neither execution nor devices */
#define FS_KEPT 0x41beu
#define NET_ALL 3u   /* version 4: bind and connect TCP */
#define SCOPE_ALL 3u /* version 6: abstract unix sockets, signals */

struct ruleset {
	uint64_t fs, net, scoped;
};

static int folder_rule(int set, const struct profile_folder *f, uint64_t handled, struct err *e)
{
	struct landlock_path_beneath_attr a = { .allowed_access = (f->write ? FS_KEPT : FS_READ) & handled,
						.parent_fd = f->fd };
	long r;
	int code;

	if (f->path != NULL) {
		a.parent_fd = open(f->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (a.parent_fd < 0)
			return err_set(e, -errno, "open %s", f->path);
	}
	r = syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
	code = r < 0 ? err_set(e, -errno, "landlock rule for %s", f->path != NULL ? f->path : "a folder") : 0;
	if (f->path != NULL)
		close(a.parent_fd);
	return code;
}

static int landlock(const struct profile *p, struct err *e)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset rs = { .fs = FS_V1 };
	int set, r = 0;

	if (version < 1)
		/* this kernel has no Landlock: the filter of system calls and the user must be
		 * enough */
		return 0;
	if (version >= 2)
		rs.fs |= FS_REFER;
	if (version >= 3)
		rs.fs |= FS_TRUNCATE;
	if (version >= 4)
		rs.net = NET_ALL;
	if (version >= 5)
		rs.fs |= FS_IOCTL;
	if (version >= 6)
		rs.scoped = SCOPE_ALL;
	/* The size tells the kernel which version of the structure this is. */
	set = (int)syscall(SYS_landlock_create_ruleset, &rs,
			   version >= 6	  ? sizeof(rs)
			   : version >= 4 ? 2 * sizeof(uint64_t)
					  : sizeof(uint64_t),
			   0);
	if (set < 0)
		return err_set(e, -errno, "landlock rule set");
	for (uint32_t i = 0; r == 0 && i < p->n_folders; i++)
		r = folder_rule(set, &p->folders[i], rs.fs, e);
	if (r == 0 && syscall(SYS_landlock_restrict_self, set, 0) < 0)
		r = err_set(e, -errno, "landlock");
	close(set);
	return r;
}

/* ---- system calls ---------------------------------------------------------------------------- */

static int add_rule(scmp_filter_ctx ctx, const struct call_rule *c)
{
	struct scmp_arg_cmp tests[CALL_TESTS];

	for (unsigned i = 0; i < c->n_tests; i++) {
		const struct call_test *t = &c->tests[i];
		uint64_t want = t->want == CALL_SELF ? (uint64_t)getpid() : t->want;

		tests[i] = t->mask != 0 ? SCMP_CMP64(t->arg, SCMP_CMP_MASKED_EQ, t->mask, want)
					: SCMP_CMP64(t->arg, SCMP_CMP_GE, want);
	}
	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, c->call, c->n_tests, tests);
}

static bool call_listed(const struct profile *p, int call)
{
	for (int g = 0; g < PROFILE_GROUPS && p->allow[g] != NULL; g++)
		for (const struct call_rule *c = p->allow[g]; c->call != CALL_END; c++)
			if (c->call == call)
				return true;
	return false;
}

static int load_filter(scmp_filter_ctx ctx, int r, struct err *e)
{
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r < 0 ? err_set(e, r, "system call filter") : 0;
}

static int system_calls(const struct profile *p, struct err *e)
{
	bool kill = p->otherwise == OTHERWISE_KILL;
	scmp_filter_ctx ctx = seccomp_init(kill ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM));
	int r = 0;

	if (ctx == NULL)
		return err_set(e, -ENOMEM, "system call filter");
	/* A worker calls sendmsg for each packet, so the filter tests this call first. For calls
	 * whose arguments are not compared, the kernel caches the result. */
	seccomp_syscall_priority(ctx, SCMP_SYS(sendmsg), UINT8_MAX);
	for (int g = 0; g < PROFILE_GROUPS && p->allow[g] != NULL; g++)
		for (const struct call_rule *c = p->allow[g]; r == 0 && c->call != CALL_END; c++)
			r = add_rule(ctx, c);
	for (const int *s = p->soft; kill && s != NULL && *s != CALL_END; s++)
		if (r == 0 && !call_listed(p, *s))
			r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), *s, 0);
	/* The flags of clone3 are in memory, where the filter cannot see them. So the call fails,
	 * and the C library uses clone. */
	if (r == 0 && kill)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return load_filter(ctx, r, e);
}

static int enter_as(int id, const char *what, const struct profile *p, bool naming, struct err *e)
{
	pid_t parent = getppid();
	int code;

	tzset(); /* reads its file now, before files are closed off */
	code = limit_resources(p, naming, e);
	if (code == 0)
		code = drop_identity(id, what, p, naming, e);
	if (code == 0)
		code = set_flags(parent, e);
	if (code == 0)
		code = landlock(p, e);
	if (code == 0)
		code = system_calls(p, e);
	return code;
}

static int enter_profile(enum role r, bool naming, struct err *e)
{
	const struct profile *p = sandbox_profile(r);

	if (p == NULL)
		return err_set(e, -EINVAL, "no profile for role %s", role_name(r));
	return enter_as((int)(sandbox_uid(r) + (naming ? SANDBOX_UID_NAMING : 0)), role_name(r), p, naming, e);
}

int sandbox_fetch(struct err *e)
{
	return enter_as((int)SANDBOX_UID_FETCH, "fetch", &sandbox_fetch_profile, false, e);
}

int sandbox_hasher(struct err *e)
{
	return enter_as((int)SANDBOX_UID_HASHER, "hasher", &sandbox_hasher_profile, false, e);
}

int sandbox_webauthn(struct err *e)
{
	return enter_as((int)SANDBOX_UID_WEBAUTHN, "webauthn", &sandbox_hasher_profile, false, e);
}

int sandbox_enter(enum role r, struct err *e)
{
	return enter_profile(r, false, e);
}

int sandbox_enter_pair(enum role r, enum lane_kind kind, struct err *e)
{
	return enter_profile(r, kind == LANE_NAMING, e);
}

/* ---- the supervisor -------------------------------------------------------------------------- */

static int supervisor_capabilities(struct err *e)
{
	uint64_t have = 0;

	/* In a container some capabilities may not exist; only existing ones can be kept. */
	if (capng_get_caps_process() < 0)
		return err_set(e, -EPERM, "capabilities of the supervisor");
	for (const int *c = sandbox_supervisor_kept; *c != CALL_END; c++)
		if (capng_have_capability(CAPNG_PERMITTED, (unsigned)*c) &&
		    capng_have_capability(CAPNG_BOUNDING_SET, (unsigned)*c))
			have |= (uint64_t)1 << *c;
	capng_clear(CAPNG_SELECT_ALL);
	for (const int *c = sandbox_supervisor_kept; *c != CALL_END; c++)
		if ((have >> *c & 1) != 0)
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, (unsigned)*c);
	return capng_apply(CAPNG_SELECT_ALL) != 0 ? err_set(e, -EPERM, "capabilities of the supervisor") : 0;
}

static int writable(int set, int fd, uint64_t handled, struct err *e)
{
	struct landlock_path_beneath_attr a = { .allowed_access = handled, .parent_fd = fd };
	struct stat st;

	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		a.allowed_access &= FS_WRITE_FILE;
	return syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &a, 0) < 0
		       ? err_set(e, -errno, "landlock rule of the supervisor")
		       : 0;
}

/* Files of the supervisor. It may read and execute everything, because the roles do so before their
 * own sandbox closes. It may write only in its own folders and in the network settings. */
static int supervisor_files(const int *folders, size_t n, struct err *e)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset rs = { .fs = FS_WRITES };
	int set, r = 0;

	if (version < 1)
		return 0;
	if (version >= 2)
		rs.fs |= FS_REFER;
	if (version >= 3)
		rs.fs |= FS_TRUNCATE;
	set = (int)syscall(SYS_landlock_create_ruleset, &rs, sizeof(uint64_t), 0);
	if (set < 0)
		return err_set(e, -errno, "landlock rule set");
	for (size_t i = 0; r == 0 && i < n; i++)
		r = writable(set, folders[i], rs.fs, e);
	for (size_t i = 0; r == 0 && sandbox_supervisor_writes[i] != NULL; i++) {
		int fd = open(sandbox_supervisor_writes[i], O_PATH | O_CLOEXEC);

		if (fd < 0)
			continue; /* if the folder does not exist, no right is needed */
		r = writable(set, fd, rs.fs, e);
		close(fd);
	}
	if (r == 0 && syscall(SYS_landlock_restrict_self, set, 0) < 0)
		r = err_set(e, -errno, "landlock");
	close(set);
	return r;
}

static int add_call(scmp_filter_ctx ctx, int call)
{
	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 0);

	return r == -EEXIST ? 0 : r;
}

/* System calls of the supervisor. A forbidden call gets EPERM and does not end the process, because
 * the box must keep a supervisor. */
static int supervisor_calls(struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = 0;

	if (ctx == NULL)
		return err_set(e, -ENOMEM, "system call filter");
	for (const int *c = sandbox_supervisor_calls; r == 0 && *c != CALL_END; c++)
		r = add_call(ctx, *c);
	for (unsigned role = 0; role < ROLE_COUNT; role++) {
		const struct profile *p = sandbox_profile((enum role)role);

		for (int g = 0; p != NULL && g < PROFILE_GROUPS && p->allow[g] != NULL; g++)
			for (const struct call_rule *c = p->allow[g]; r == 0 && c->call != CALL_END; c++)
				r = add_call(ctx, c->call);
	}
	/* The call fails, and the C library uses clone. */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	/* BPF: the supervisor may query the programs on a device, so that verify can name them, but
	 * may load none. */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(bpf), 1,
				     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)BPF_PROG_QUERY));
	return load_filter(ctx, r, e);
}

int sandbox_supervisor(const int *folders, size_t n, struct err *e)
{
	int r = supervisor_capabilities(e);

	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = err_set(e, -errno, "no new privileges");
	if (r == 0)
		r = supervisor_files(folders, n, e);
	return r == 0 ? supervisor_calls(e) : r;
}

uint32_t sandbox_cores(void)
{
	cpu_set_t usable;

	return sched_getaffinity(0, sizeof(usable), &usable) == 0 && CPU_COUNT(&usable) > 0
		       ? (uint32_t)CPU_COUNT(&usable)
		       : 1;
}

int sandbox_place(int index, struct err *e)
{
	cpu_set_t usable, one;
	int n, at;

	if (sched_getaffinity(0, sizeof(usable), &usable) < 0)
		return err_set(e, -errno, "usable cores");
	n = CPU_COUNT(&usable);
	at = n > 0 ? (index % n + n) % n : 0;
	CPU_ZERO(&one);
	for (size_t c = 0; c < CPU_SETSIZE; c++)
		if (CPU_ISSET(c, &usable) && at-- == 0) {
			CPU_SET(c, &one);
			break;
		}
	if (sched_setaffinity(0, sizeof(one), &one) < 0)
		return err_set(e, -errno, "core");
	return 0;
}
