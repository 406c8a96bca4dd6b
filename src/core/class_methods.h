// Lists of methods for DefineClass(). Like those of Node's handles, they can be replaced
// on an object; that is how tests make a handle fail.

#ifndef PIPEWRIGHT_SRC_CORE_CLASS_METHODS_H_
#define PIPEWRIGHT_SRC_CORE_CLASS_METHODS_H_

#include <napi.h>

#include <vector>

namespace pipewright {

template <typename Wrap>
class ClassMethods {
 public:
  using Method = Napi::Value (Wrap::*)(const Napi::CallbackInfo&);

  ClassMethods& Add(const char* name, Method method) {
    list_.push_back(Wrap::InstanceMethod(name, method, napi_default_method));
    return *this;
  }

  // Adds the methods of every HandleWrap.
  ClassMethods& AddHandle() {
    return Add("close", &Wrap::CloseHandle)
        .Add("ref", &Wrap::RefHandle)
        .Add("unref", &Wrap::UnrefHandle)
        .Add("hasRef", &Wrap::HasRef)
        .Add("getFd", &Wrap::GetFd)
        .Add("hasUnread", &Wrap::HasUnread)
        .Add("getId", &Wrap::GetId);
  }

  // Adds the methods of every ByteStream.
  ClassMethods& AddStream() {
    return AddHandle()
        .Add("readStart", &Wrap::ReadStart)
        .Add("readStop", &Wrap::ReadStop)
        .Add("useUserBuffer", &Wrap::UseUserBuffer)
        .Add("writeBuffer", &Wrap::WriteBuffer)
        .Add("writeScratch", &Wrap::WriteScratch)
        .Add("writeBuffers", &Wrap::WriteBuffers)
        .Add("writeUtf8String", &Wrap::WriteUtf8String)
        .Add("writeLatin1String", &Wrap::WriteLatin1String)
        .Add("shutdown", &Wrap::Shutdown)
        .Add("getBytesRead", &Wrap::BytesRead)
        .Add("getBytesWritten", &Wrap::BytesWritten)
        .Add("getWriteQueueSize", &Wrap::WriteQueueSize)
        .Add("joinGroup", &Wrap::JoinGroup);
  }

  const std::vector<Napi::ClassPropertyDescriptor<Wrap>>& list() const { return list_; }

 private:
  std::vector<Napi::ClassPropertyDescriptor<Wrap>> list_;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CORE_CLASS_METHODS_H_
