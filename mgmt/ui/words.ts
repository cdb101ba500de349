// SPDX-License-Identifier: Apache-2.0
// The words of the policy language that the editor offers: keys, their values, protocol names and
// the keys of their rows (policy/check, appliance/wire/settings.c, appliance/wire/protocols.def,
// dpi/*/words.c). tests/documents reports missing ones.
export const WORDS: string[] = (
  "about accept address addresses all allow always analog_inputs analog_outputs answer_only applicant approved_by asset assets at_most " +
  "attributes bacnet between binary_inputs binary_outputs break_glass buffer cargo carrier causes certificates chain_break channels cio class closed cnt " +
  "cnt_flags coils command_workers commands conduits contact contacts contract_until control counters cpus criticality cut days defaults " +
  "delete_after_days deny destinations detect device diagnose discrete dnp3 dns door doors double_inputs drop e_current each enforce enip " +
  "eve except exception external fins first flags fleets format free fresh from from_assets ftp functions groups heard_within hold holding " +
  "hours http icmp idle iec104 imap input inputs instead interface interfaces ioa isolations keep keep_days kerberos label language_version " +
  "last lcc lcn lcs ldap learn_days ledger lenient lines log log_server login lstc lstn lsts ltc ltn lts mail mail_server management " +
  "masters members memobus modbus mode model module_buffer modules mqtt mssql mtu multidrops mysql name names naming naming_workers needs " +
  "netbios networks never new_flows node_ids nodes ntp objects observe octet_strings on_low on_tighten opcua open opened_by operations " +
  "oracle organisation organisations originators outputs outstations owner patchable peripherals pick_up place pop3 port ports postgresql " +
  "power_off priorities program properties protocol purpose qualifiers quic rdp read reason record record_passed records relays relp report " +
  "reset responsible retention review_by role routes rows rtsp s7comm s7comm_plus safety scan scope second_person security_policies sekisho " +
  "senders service services session shadow sides site slmp slots smb smtp snmp snmp_receiver sources spoofed ssh starts stations stc stn " +
  "strict sts support support_until syslog tags tcp telnet terminal terminals test ticket tim tim_flags time time_zone timers tls to_assets " +
  "transport trying tunnel udp undecided_bytes units until update update_server ups user values via vlan vnc warning ways weak_tls " +
  "when_down when_midstream when_overloaded windows within within_s workers write zone zones"
).split(" ");
