-- Gives up what somebody else has put in the place of the index of all entries, once what it has listed is gone.

if is_foreign(entries) then
  redis.call('UNLINK', entries)
end
