/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a machine offers, read from a folder with the same layout.
 *
 * LINK: mgmt/cli/devices/hardware.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/sha256.c appliance/base/utf8.c appliance/base/bytes.c appliance/base/memfd.c
 * LINK: appliance/base/clock.c appliance/base/err.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mgmt/cli/devices/devices.h"

static char root[] = "/tmp/sekisho-hardware-XXXXXX";

/* Makes the file with the folders above it; "" for `text`: only a folder. */
static void put(const char *path, const char *text)
{
	char whole[PATH_MAX];
	FILE *f;

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	for (char *p = whole + strlen(root) + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		mkdir(whole, 0755);
		*p = '/';
	}
	if (text[0] == '\0') {
		mkdir(whole, 0755);
		return;
	}
	f = fopen(whole, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void drive(const char *device, const char *driver)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s/driver", root, device);
	assert_int_equal(symlink(driver, path), 0);
}

#define PCI "/sys/bus/pci/devices/"
#define USB "/sys/bus/usb/devices/"

static int machine(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
	put("/proc/sys/kernel/osrelease", "6.12.95+deb13-amd64\n");
	put("/proc/sys/kernel/unprivileged_bpf_disabled", "2\n");
	put("/proc/meminfo", "MemTotal:        8126464 kB\nMemFree: 1 kB\n");
	put("/lib/modules/6.12.95+deb13-amd64/modules.dep",
	    "kernel/net/netfilter/nft_queue.ko.xz: kernel/net/netfilter/nf_tables.ko.xz\n"
	    "kernel/net/other.ko.xz: kernel/net/8021q/8021q.ko.xz\n");
	put("/lib/modules/6.12.95+deb13-amd64/modules.builtin", "kernel/net/netfilter/xt_bpf.ko\n");
	put("/sys/module/nf_conntrack_bridge", "");
	put("/sys/devices/system/cpu/cpu0", "");
	put("/sys/devices/system/cpu/cpu1", "");
	put("/sys/devices/system/cpu/cpufreq", "");
	put("/sys/class/dmi/id/sys_vendor", "Maker\n");
	put("/sys/class/tpm/tpm0/tpm_version_major", "2\n");
	put("/sys/class/tty/ttyS0/type", "4\n");
	put("/sys/class/tty/ttyS1/type", "0\n");
	put("/sys/class/rtc/rtc0", "");
	/* A card in this namespace, a card of the box that has no interface here, a virtual one,
	 * and a device that is no card. */
	put(PCI "0000:02:00.0/class", "0x020000\n");
	put(PCI "0000:02:00.0/vendor", "0x8086\n");
	put(PCI "0000:02:00.0/device", "0x15f3\n");
	put(PCI "0000:02:00.0/net/enp2s0/queues/rx-0", "");
	put(PCI "0000:02:00.0/net/enp2s0/queues/rx-1", "");
	put(PCI "0000:02:00.0/net/enp2s0/queues/tx-0", "");
	put(PCI "0000:02:00.0/net/enp2s0/speed", "2500\n");
	put(PCI "0000:02:00.0/msi_irqs/40", "msix\n");
	put(PCI "0000:02:00.0/msi_irqs/41", "msix\n");
	put(PCI "0000:02:00.0/msi_irqs/42", "msix\n");
	drive(PCI "0000:02:00.0", "../../../bus/pci/drivers/igc");
	put(PCI "0000:01:00.0/class", "0x020000\n");
	drive(PCI "0000:01:00.0", "../../../bus/pci/drivers/e1000e");
	put(PCI "0000:03:00.0/class", "0x020000\n");
	put(PCI "0000:03:00.0/virtio1/net/ens3/queues/rx-0", "");
	put(PCI "0000:03:00.0/virtio1/net/ens3/speed", "-1\n");
	drive(PCI "0000:03:00.0", "../../../bus/pci/drivers/virtio-pci");
	put(PCI "0000:04:00.0/class", "0x010802\n");
	put(USB "1-1:1.0/net/enx00/queues/rx-0", "");
	put(USB "1-2:1.0/bInterfaceClass", "03\n");
	return 0;
}

static int gone(void **state)
{
	char command[PATH_MAX];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command); /* NOLINT(cert-env33-c): a folder of this test */
}

static void is(const json_t *j, const char *text)
{
	json_t *wanted = json_loads(text, JSON_DECODE_ANY, NULL);
	char *found = json_dumps(j, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_COMPACT);

	assert_non_null(wanted);
	if (!json_equal(j, wanted))
		fail_msg("%s is not %s", found, text);
	free(found);
	json_decref(wanted);
}

static void machine_read(void **state)
{
	json_t *j = hardware_read(root);

	(void)state;
	is(json_object_get(j, "vendor"), "\"Maker\"");
	is(json_object_get(j, "model"), "null");
	is(json_object_get(j, "processors"), "2");
	is(json_object_get(j, "memory"), "8321499136");
	is(json_object_get(j, "tpm"), "\"2\"");
	is(json_object_get(j, "serial"), "[\"ttyS0\"]");
	is(json_object_get(j, "tried"),
	   "{\"tpm\":\"emulated\",\"clock\":\"emulated\",\"watchdog\":\"no\",\"serial\":\"emulated\"}");
	is(json_object_get(j, "clocks"), "[\"rtc0\"]");
	is(json_object_get(j, "watchdogs"), "[]");
	json_decref(j);
}

static void cards_read(void **state)
{
	json_t *j = hardware_read(root);

	(void)state;
	is(json_object_get(j, "cards"), "[{\"address\":\"0000:01:00.0\",\"device\":null,\"interface\":null,\"driver\":"
					"\"e1000e\",\"queues\":null,\"interrupts\":null,"
					"\"speed_mbit\":null,\"tried\":true},"
					"{\"address\":\"0000:02:00.0\",\"device\":\"0x8086:0x15f3\",\"interface\":"
					"\"enp2s0\",\"driver\":\"igc\",\"queues\":2,"
					"\"interrupts\":3,\"speed_mbit\":2500,\"tried\":false},"
					"{\"address\":\"0000:03:00.0\",\"device\":null,\"interface\":\"ens3\","
					"\"driver\":\"virtio_net\",\"queues\":1,\"interrupts\":null,"
					"\"speed_mbit\":null,\"tried\":true},"
					"{\"address\":\"1-1:1.0\",\"device\":null,\"interface\":\"enx00\",\"driver\":"
					"null,\"queues\":1,\"interrupts\":null,"
					"\"speed_mbit\":null,\"tried\":false}]");
	json_decref(j);
}

/* A module whose dependency is missing counts as missing; one that is built into the kernel does
 * not. */
static void kernel_read(void **state)
{
	json_t *j = hardware_read(root);

	(void)state;
	is(json_object_get(j, "kernel"),
	   "{\"release\":\"6.12.95+deb13-amd64\",\"tried\":true,\"means\":[{\"name\":\"queue\",\"there\":true},"
	   "{\"name\":\"queue_target\",\"there\":false},{\"name\":\"vlan\",\"there\":false},{\"name\":\"bridge\","
	   "\"there\":false},"
	   "{\"name\":\"bridge_sessions\",\"there\":true},{\"name\":\"bpf_match\",\"there\":true},"
	   "{\"name\":\"disk_encryption\",\"there\":false},{\"name\":\"bpf\",\"there\":true},{\"name\":\"owned_table\","
	   "\"there\":true}]}");
	json_decref(j);
}

static void nothing_to_read(void **state)
{
	json_t *j = hardware_read("/nowhere");

	(void)state;
	is(json_object_get(j, "cards"), "[]");
	is(json_object_get(j, "processors"), "null");
	is(json_object_get(j, "memory"), "null");
	is(json_object_get(json_object_get(j, "kernel"), "tried"), "false");
	is(json_object_get(json_array_get(json_object_get(json_object_get(j, "kernel"), "means"), 0), "there"), "null");
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(machine_read),
		cmocka_unit_test(cards_read),
		cmocka_unit_test(kernel_read),
		cmocka_unit_test(nothing_to_read),
	};

	return cmocka_run_group_tests(tests, machine, gone);
}
