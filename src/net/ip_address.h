// IP addresses between JavaScript and sockaddr.

#ifndef PIPEWRIGHT_SRC_NET_IP_ADDRESS_H_
#define PIPEWRIGHT_SRC_NET_IP_ADDRESS_H_

#include <napi.h>
#include <sys/socket.h>

#include <string>

namespace pipewright {

struct IpAddress {
  sockaddr_storage data{};

  // From an address in either family's notation ("127.0.0.1", "::1",
  // "fe80::1%eth0") and a port; 0 or UV_EINVAL.
  static int Parse(const std::string& address, int port, IpAddress* out);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&data); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&data); }
  socklen_t length() const;

  // { address, family: 'IPv4' | 'IPv6', port }; undefined for another family.
  Napi::Value ToObject(Napi::Env env) const;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_NET_IP_ADDRESS_H_
