#include "net/ip_address.h"

#include <net/if.h>
#include <netinet/in.h>
#include <uv.h>

namespace pipewright {

int IpAddress::Parse(const std::string& address, int port, IpAddress* out) {
  if (port < 0 || port > 65535) return UV_EINVAL;
  if (address.find('\0') != std::string::npos) return UV_EINVAL;
  if (uv_ip4_addr(address.c_str(), port, reinterpret_cast<sockaddr_in*>(&out->data)) == 0) return 0;
  return uv_ip6_addr(address.c_str(), port, reinterpret_cast<sockaddr_in6*>(&out->data));
}

socklen_t IpAddress::length() const {
  return data.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

Napi::Value IpAddress::ToObject(Napi::Env env) const {
  const bool is_ipv6 = data.ss_family == AF_INET6;
  if (!is_ipv6 && data.ss_family != AF_INET) return env.Undefined();
  char host[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE] = "";
  int port;
  if (is_ipv6) {
    const auto* ipv6 = reinterpret_cast<const sockaddr_in6*>(&data);
    uv_ip6_name(ipv6, host, sizeof(host));
    port = ntohs(ipv6->sin6_port);
  } else {
    const auto* ipv4 = reinterpret_cast<const sockaddr_in*>(&data);
    uv_ip4_name(ipv4, host, sizeof(host));
    port = ntohs(ipv4->sin_port);
  }
  auto object = Napi::Object::New(env);
  object.Set("address", host);
  object.Set("family", is_ipv6 ? "IPv6" : "IPv4");
  object.Set("port", port);
  return object;
}

}  // namespace pipewright
